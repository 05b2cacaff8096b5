"""The tables of speed: what fewer bits do to the answers, and a whole evaluation of the paper's size, planned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pandas as pd

from reranksmart.report.costs import machine
from reranksmart.report.labels import DIRECTIONS, number, plural
from reranksmart.report.paper import paper_value
from reranksmart.report.tables import Cell, Column, Row, Table
from reranksmart.values.precision import Precision

STAGES = {"encode": "retrieval", "rerank": "re-ranking"}
_EXACT = "float32"
_NOT_NATIVE = Cell(missing="not native here")
_PAPER_SYSTEMS = {"be": "BE", "coop": "Coop", "ce": "CE"}


def precision_table(costs: pd.DataFrame, *, system: str, dataset: str = "") -> Table:
    """Each precision of each stage of ``system`` against float32: R@1, its change, and the rank overlap."""
    depth = int(costs["depth"].iloc[0])
    columns = tuple(
        Column(f"{direction} {key}", f"{DIRECTIONS[direction].split(' ')[0]} {label}", unit=unit)
        for direction in costs["direction"].unique()
        for key, label, unit in (
            ("r_at_1", "R@1", "percent"),
            ("change", "change", "points"),
            ("overlap", f"overlap at {depth}", "percent"),
        )
    )
    rows = []
    for stage, own in costs.groupby("stage", sort=False):
        found = {
            precision: tuple(cell for line in lines.to_dict("records") for cell in _answer_cells(line))
            for precision, lines in own.groupby("precision", sort=False)
        }
        found |= {precision: (_NOT_NATIVE,) * len(columns) for precision in _others(costs)}
        rows += [Row(f"{stage} {name}", str(name), cells, group=STAGES[str(stage)]) for name, cells in found.items()]
    return Table(
        name="precision",
        title="What fewer bits do to the answers",
        caption=f"Retriever and reranker of {system}, one seed, one caption an image. R@1 in %, its change against float32 in points with 95 % interval by bootstrap over images, and how "
        f"many of the first {depth} items are those of float32, in %; {int(costs['queries'].max()):,} queries "
        f"a direction, on {machine(costs)}. The reranker orders the {2 * depth} items that the retriever found in float32. "
        "Not in the paper.",
        header="precision",
        columns=columns,
        rows=tuple(rows),
        dataset=dataset,
    )


def _others(measured: pd.DataFrame) -> list[str]:
    """The precisions that the machine would only emulate, or that the models lack there."""
    known = [name for name in get_args(Precision) if name != "auto"]
    return [name for name in known if name not in set(measured["precision"])]


def _answer_cells(line: Mapping[str, Any]) -> tuple[Cell, Cell, Cell]:
    exact = line["precision"] == _EXACT
    change = Cell(value=line["change"], low=line["low"], high=line["high"])
    basis = Cell(missing="what the others are compared with")
    return Cell(value=line["r_at_1"]), basis if exact else change, basis if exact else Cell(value=100 * line["overlap"])


def planned_table(
    rates: pd.DataFrame, planned: Mapping[str, Any], numbers: pd.DataFrame, *, paper_dataset: str = "MSCOCO 5k"
) -> Table:
    """Seconds of a whole evaluation of BE, Coop and CE: the paper's, ours from rates, a card's estimate."""
    a_second = 1000 * rates["count"] * rates["threads"] / rates["computed_ms"]
    medians = rates.assign(a_second=a_second).groupby(["precision", "stage"], sort=False)["a_second"].median()
    repeats = plural(int(rates.groupby(["precision", "stage"]).size().min()), "repeat")
    cores = plural(int(rates["threads"].iloc[0]), "core")
    rows = [_paper_row(numbers, paper_dataset)]
    for precision in rates["precision"].unique():
        speeds = {stage: float(medians[precision, stage]) for stage in ("captions", "images", "pairs")}
        rows.append(_planned_row(precision, f"{cores} here, {precision}", speeds, planned))
    rows += [Row(name, f"{cores} here, {name}", (_NOT_NATIVE,) * 6) for name in _others(rates)]
    for name, card in planned["cards"].items():
        floor = 1e12 * card["tflops"] / operations(planned, texts=True, regions=True)
        for label, pairs in (("floor", floor), ("aim", card["pairs_a_second"])):
            rows.append(
                _planned_row(f"{name} {label}", f"{name}, {label}: estimate", card_rates(pairs, planned), planned)
            )
    return Table(
        name="planned_evaluation",
        title="A whole evaluation of the paper's size, planned",
        caption=f"{planned['captions']:,} captions and {planned['images']:,} images of {planned['regions']} regions, both "
        f"directions, k = {planned['depth']}, by a network of the paper's size with random weights; search left out. The "
        f"rates here were measured, the median of {repeats} on {machine(rates)}, by the time that the process computed, so "
        f"that what else the machine did is left out; a card's floor is its {_peaks(planned)} divided by "
        f"{operations(planned, texts=True, regions=True) / 1e9:.1f} GFLOP a pair, its aim a wish: neither was measured.",
        header="machine",
        columns=(
            *(Column(stage, f"{stage} a second", unit="count") for stage in ("captions", "images", "pairs")),
            *(Column(key, label, unit="seconds") for key, label in _PAPER_SYSTEMS.items()),
        ),
        rows=tuple(rows),
        dataset=paper_dataset,
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


def _paper_row(numbers: pd.DataFrame, dataset: str) -> Row:
    known = [paper_value(numbers, table="table4", row=row, column="seconds", dataset=dataset) for row in _PAPER_SYSTEMS]
    unknown = Cell(missing="not known to this project")
    times = tuple(unknown if value is None else Cell(value=value, text=number(value, "seconds")) for value in known)
    return Row("paper", "the paper, one V100", (unknown, unknown, unknown, *times))


def _peaks(planned: Mapping[str, Any]) -> str:
    return " or ".join(f"{card['tflops']:g} TFLOP/s" for card in planned["cards"].values()) or "peak"
