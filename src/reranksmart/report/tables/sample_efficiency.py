"""Mean recall by the share of the training images."""

from reranksmart.report.asked import Asked
from reranksmart.report.beside import table_of_mean_recalls
from reranksmart.report.kinds import Kind, TableOfExperiments
from reranksmart.report.reading import measures
from reranksmart.report.table import Column, Table
from reranksmart.values.frames import Frame


def sample_efficiency_table(measures: Frame, asked: Asked) -> Table:
    """The columns are the training sets in the order of their shares."""
    shares = sorted(asked.training_sets.items(), key=lambda of: of[1])
    return table_of_mean_recalls(
        measures,
        asked,
        "Sample efficiency: training on a share of the images",
        "training_set",
        {name: Column(f"{share:g} mR", f"{100 * share:g} %") for name, share in shares},
        said="mR in percent, by share of the training images.",
        paper=("sample_efficiency", "MSCOCO 5k"),
    )


KIND = Kind(TableOfExperiments, reads=(measures(),), make=sample_efficiency_table, shows={"training_sets": (1, None)})
