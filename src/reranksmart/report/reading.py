"""The files that kinds of tables and figures are made from."""

from collections.abc import Sequence
from pathlib import Path

from reranksmart.files.storage import read_json
from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Reads
from reranksmart.report.leaks import with_leaks
from reranksmart.report.provenance import require_one_code_version
from reranksmart.values.frames import Frame


def read_measures(files: Sequence[Path], asked: Asked) -> Frame:
    """The long table of all measures, over seeds; ValueError where two code versions made them."""
    from reranksmart.evaluation.significance import aggregate_seeds

    require_one_code_version({str(path.parent): read_json(path.parent / "provenance.json") for path in files})
    return with_leaks(aggregate_seeds(read_frame(files, asked)), map(Path, asked.audits))


def read_frame(files: Sequence[Path], asked: Asked) -> Frame:
    """The rows of all files."""
    import pandas as pd

    return pd.concat([pd.read_csv(path) for path in files], ignore_index=True)


def measures(kind: str = "measures") -> Reads:
    """The measures of the entry's experiments, which lie in ``results/{kind}``."""
    return Reads(lambda places: places.measures(kind), "measures.csv", read_measures)


def frame(folder: str, file: str) -> Reads:
    """One csv file in a folder of the results."""
    return Reads(lambda places: [f"results/{folder}"], file, read_frame)


LATENCY = frame("latency", "latency.csv")
PAIR_COSTS = frame("pair_costs", "pair_costs.csv")
