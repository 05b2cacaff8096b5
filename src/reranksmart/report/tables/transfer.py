"""Zero-shot transfer: each training set on each test set."""

from reranksmart.report.asked import Asked
from reranksmart.report.beside import table_of_test_sets
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.table import Table
from reranksmart.values.frames import Frame


def transfer_table(measures: Frame, asked: Asked) -> Table:
    """Of one training set the first test set is what it showed; of several, any may be. What the audit refuses is not run."""
    (first, label), *others = asked.test_sets
    several = len(asked.training_sets) > 1
    words = {first: label or "seen"} | {name: label or (name if others[1:] else "unseen") for name, label in others}
    seen = "Seen: test images of what training showed; unseen: test images of things that training never saw."
    return table_of_test_sets(
        measures,
        asked,
        labels=words,
        keys={name: "" if name == first and not several else name for name in words},
        title="Transfer to what training never saw",
        sentence="" if label else seen,
        paper=("transfer", "Flickr30k 1k (Entities)"),
    )


KIND = Kind(
    TableOfExperiments,
    reads=(measures(),),
    make=transfer_table,
    shows={"training_sets": (1, None), "test_sets": (2, None)},
    names_all_test_sets=True,
)
