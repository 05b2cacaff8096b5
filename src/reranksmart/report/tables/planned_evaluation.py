"""A whole evaluation of the paper's size, planned from measured rates (beyond the paper)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Entry, Kind
from reranksmart.report.labels import number, plural
from reranksmart.report.paper import paper_numbers, paper_value
from reranksmart.report.reading import frame
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.times import NOT_NATIVE, emulated, machine
from reranksmart.values.frames import Frame

_PAPER_SYSTEMS = {"be": "BE", "coop": "Coop", "ce": "CE"}
_PAPER_DATASET = "MSCOCO 5k"


def planned_table(rates: Frame, asked: Asked) -> Table:
    """Seconds of a whole evaluation of BE, Coop and CE: the paper's, ours from rates, a card's estimate."""
    planned = asked.planned or {}
    a_second = 1000 * rates["count"] * rates["threads"] / rates["computed_ms"]
    medians = rates.assign(a_second=a_second).groupby(["precision", "stage"], sort=False)["a_second"].median()
    repeats = plural(int(rates.groupby(["precision", "stage"]).size().min()), "repeat")
    cores = plural(int(rates["threads"].iloc[0]), "core")
    rows = [_paper_row(paper_numbers(), _PAPER_DATASET)]
    for precision in rates["precision"].unique():
        speeds = {stage: float(medians[precision, stage]) for stage in ("captions", "images", "pairs")}
        rows.append(_planned_row(precision, f"{cores} here, {precision}", speeds, planned))
    peaks = " or ".join(f"{card['tflops']:g} TFLOP/s" for card in planned["cards"].values()) or "peak"
    rows += [Row(name, f"{cores} here, {name}", (NOT_NATIVE,) * 6) for name in emulated(rates)]
    for name, card in planned["cards"].items():
        floor = 1e12 * card["tflops"] / operations(planned, texts=True, regions=True)
        for label, pairs in (("floor", floor), ("aim", card["pairs_a_second"])):
            rows.append(
                _planned_row(f"{name} {label}", f"{name}, {label}: estimate", card_rates(pairs, planned), planned)
            )
    return replace(asked, dataset=_PAPER_DATASET).table(
        "A whole evaluation of the paper's size, planned",
        (
            *(Column(stage, f"{stage} a second", unit="count") for stage in ("captions", "images", "pairs")),
            *(Column(key, label, unit="seconds") for key, label in _PAPER_SYSTEMS.items()),
        ),
        rows,
        f"{planned['captions']:,} captions and {planned['images']:,} images of {planned['regions']} regions, both "
        f"directions, k = {planned['depth']}, by a network of the paper's size with random weights; search left out. The "
        f"rates here were measured, the median of {repeats} on {machine(rates)}, by the time that the process computed, so "
        f"that what else the machine did is left out; a card's floor is its {peaks} divided by "
        f"{operations(planned, texts=True, regions=True) / 1e9:.1f} GFLOP a pair, its aim a wish: neither was measured.",
        header="machine",
    )


def operations(planned: Mapping[str, Any], *, texts: bool, regions: bool) -> float:
    """Floating-point operations of one pass over a caption, an image or a pair: products of matrices, twice each."""
    network = planned["network"]
    width, inner = network["hidden_size"], network["intermediate_size"]
    length = (planned["tokens"] if texts else 1) + (planned["regions"] if regions else 0)
    layer = 2 * length * (4 * width**2 + 2 * width * inner) + 4 * length**2 * width
    projection = 2 * planned["regions"] * network["feature_size"] * width if regions else 0
    return float(network["layers"] * layer + projection)


def card_rates(pairs: float, planned: Mapping[str, Any]) -> dict[str, float]:
    """Captions, images and pairs a second of a card that does so many pairs: in proportion to their operations."""
    work = pairs * operations(planned, texts=True, regions=True)
    captions = work / operations(planned, texts=True, regions=False)
    return {"captions": captions, "images": work / operations(planned, texts=False, regions=True), "pairs": pairs}


def _planned_row(key: str, label: str, speeds: Mapping[str, float], planned: Mapping[str, Any]) -> Row:
    captions, images = planned["captions"], planned["images"]
    encode = captions / speeds["captions"] + images / speeds["images"]
    coop = encode + (captions + images) * planned["depth"] / speeds["pairs"]
    seconds = encode, coop, captions * images / speeds["pairs"]
    rates = (Cell(value=float(f"{speed:.3g}")) for speed in speeds.values())
    return Row(key, label, (*rates, *(Cell(value=float(time), extrapolated=True) for time in seconds)))


def _paper_row(numbers: Frame, dataset: str) -> Row:
    known = [paper_value(numbers, table="table4", row=row, column="seconds", dataset=dataset) for row in _PAPER_SYSTEMS]
    unknown = Cell(missing="not known to this project")
    times = tuple(unknown if value is None else Cell(value=value, text=number(value, "seconds")) for value in known)
    return Row("paper", "the paper, one V100", (unknown, unknown, unknown, *times))


KIND = Kind(Entry, reads=(frame("rates", "rates.csv"),), make=planned_table, requires="planned_evaluation")
