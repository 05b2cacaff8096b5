"""The same queries in a gallery that grows."""

from reranksmart.report.asked import Asked
from reranksmart.report.beside import table_of_test_sets
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.table import Table
from reranksmart.values.frames import Frame


def enlarged_table(measures: Frame, asked: Asked) -> Table:
    """The plain gallery first, then those with distractors; the paper's is the largest."""
    (plain, label), *others = asked.test_sets
    words = {plain: label or "plain"} | {name: label or (name if others[1:] else "enlarged") for name, label in others}
    return table_of_test_sets(
        measures,
        asked,
        labels=words,
        keys={**words, others[-1][0]: "enlarged", plain: ""},
        title="Enlarged gallery",
        sentence="The same queries throughout; to the right, images and captions of other datasets are added to the "
        "gallery as distractors."
        if label
        else "Plain: the test gallery; enlarged: the same queries, with distractor images and captions added.",
        paper=("enlarged_gallery", "Flickr30k 1k (Entities)"),
    )


KIND = Kind(TableOfExperiments, reads=(measures(),), make=enlarged_table, shows={"test_sets": (2, None)})
