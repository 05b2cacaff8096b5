"""Beyond the paper: each idea against a bi-encoder and its re-ranking to a fixed depth, and whether it pays."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from reranksmart.files.storage import read_json
from reranksmart.report.asked import Asked
from reranksmart.report.kinds import Kind, Reads, TableOfExperiments
from reranksmart.report.labels import fusion_label, number, plural
from reranksmart.report.provenance import require_one_code_version
from reranksmart.report.reading import LATENCY
from reranksmart.report.scope import MEASURES, NOT_RUN, SHORT_COLUMNS, by_system
from reranksmart.report.table import Cell, Column, Row, Table
from reranksmart.report.times import machine
from reranksmart.values.frames import Frame, Series
from reranksmart.values.settings import Name

_SHORT = {"text-to-image": "IR", "image-to-text": "TR"}


class Settings(TableOfExperiments):
    bi_encoder: Name = Field(description="the system that nothing re-ranks, with which those of no pairs are compared")
    cooperation: Name = Field(description="the system that re-ranks all candidates, with which all others are compared")


def read_seeds(files: Sequence[Path], asked: Asked) -> Frame:
    """The long table of all measures, seed by seed; ValueError where two code versions made them."""
    import pandas as pd

    require_one_code_version({str(path.parent): read_json(path.parent / "provenance.json") for path in files})
    return pd.concat([pd.read_csv(path) for path in files], ignore_index=True)


def beyond_table(measures: Frame, latency: Frame, asked: Asked) -> Table:
    """Each system with each fusion; R@1 and mR, what a query costs, and in how many seeds it is above the two."""
    scope, baselines = asked.named_scope, (asked.settings["bi_encoder"], asked.settings["cooperation"])
    chosen = scope.rows(measures.assign(seeds=1), free=["system", "fusion"])
    first = {name: _of_seeds(chosen[(chosen["system"] == name) & (chosen["fusion"] == "none")]) for name in baselines}
    columns = (
        *SHORT_COLUMNS,
        *(Column(f"{way} pairs", f"pairs a query, {short}", unit="", in_paper=False) for way, short in _SHORT.items()),
        Column("time_ms", "one query, IR", unit="ms", in_paper=False),
        *(Column(f"above {name}", f"above {asked.label(name)}", unit="words", in_paper=False) for name in baselines),
        Column("verdict", "pays?", unit="words", in_paper=False),
    )
    rows = []
    for system, of_system in by_system(chosen, asked.systems):
        for fusion in sorted(set(of_system["fusion"]), key=lambda name: (name != "none", name)):
            own = _of_seeds(of_system[of_system["fusion"] == fusion])
            if len(own) < asked.seeds:  # another experiment's
                continue
            pairs = [own[f"{way} pairs"].mean() for way in _SHORT]
            cells = [Cell(value=own[column.key].mean(), sd=_sd(own[column.key])) for column in SHORT_COLUMNS]
            cells += [Cell(value=float(count)) for count in pairs]
            cells.append(_time(latency, asked, pairs[0]))
            cells += [Cell(text=_signs(own, first[name])) for name in baselines]
            against = baselines[0] if not sum(pairs) else baselines[1]
            cells.append(Cell(text=_verdict(own, first[against], asked.label(against))))
            label = fusion_label(fusion) if sum(pairs) else "no re-ranking"
            rows.append(Row(f"{system} {fusion}", label, tuple(cells), group=asked.label(system)))
    seeds = sorted(set(chosen["seed"]))
    return asked.table(
        "Beyond the paper: what pays, and what does not",
        columns,
        rows,
        f"{MEASURES} At most k = {scope.depth} candidates; mean of {plural(len(seeds), 'seed')} ± standard deviation. Above: in "
        "how many seeds R@1 is higher, IR and TR. An idea pays where R@1 is higher in every seed in one direction and lower "
        "in no seed in the other; where half of the pairs or fewer cost accuracy, it is cheaper, not better; without pairs it is held against the bi-encoder, else against re-ranking all candidates. "
        f"Time of one caption among {_gallery(latency):,} images: encoding and search, and for each pair a share of the time "
        f"of all, on {machine(latency)}. Weights, depths and neighbours are chosen on dev.",
    )


def _of_seeds(rows: Frame) -> Frame:
    """A row a seed: R@1 of both directions, mR, and the pairs of a query in each direction."""

    import pandas as pd

    found = {}
    for seed, own in rows.groupby("seed"):
        values = own.set_index(["direction", "measure"])
        at_one = {f"{way} R@1": values.loc[(way, "R@1")] for way in _SHORT}
        found[seed] = {
            **{key: row["value"] for key, row in at_one.items()},
            "mR": values.loc[("both", "mR"), "value"],
            **{key.replace("R@1", "pairs"): row["pairs_scored"] / row["queries"] for key, row in at_one.items()},
        }
    return pd.DataFrame.from_dict(found, orient="index")


def _sd(values: Series) -> float | None:
    return float(values.std()) if len(values) > 1 else None


def _differences(own: Frame, other: Frame) -> dict[str, Any]:
    return {short: (own[f"{way} R@1"] - other[f"{way} R@1"]).dropna() for way, short in _SHORT.items()}


def _signs(own: Frame, other: Frame) -> str:
    if other.empty:
        return NOT_RUN
    return ", ".join(f"{name} {(found > 0).sum()} of {len(found)}" for name, found in _differences(own, other).items())


def _verdict(own: Frame, other: Frame, label: str) -> str:
    """``pays: IR +1.2, TR +0.3``, or that it does not, or that it is what others are compared with."""
    if other.empty:
        return NOT_RUN
    if own.equals(other):
        return "compared with"
    found = _differences(own, other)
    told = ", ".join(f"{name} {number(float(values.mean()), 'points')}" for name, values in found.items())
    higher, lower = any((of > 0).all() for of in found.values()), any((of < 0).any() for of in found.values())
    halved = _pairs(own) <= _pairs(other) / 2 and _pairs(other) > 0
    said = "pays" if higher and not lower else "cheaper, not better" if halved else "does not pay"
    return f"{said} against {label}: {told}"


def _pairs(of_seeds: Frame) -> float:
    return float(sum(of_seeds[f"{way} pairs"].mean() for way in _SHORT))


def _gallery(latency: Frame) -> int:
    return int(latency["gallery_size"].min())


def _time(latency: Frame, asked: Asked, pairs: float) -> Cell:
    """A query's time with so many pairs, from the timed system that re-ranks in the settings' own way, or another."""
    timed = latency[(latency["depth"] > 0) & (latency["gallery_size"] == _gallery(latency))]
    own = timed[timed["system"] == asked.settings["cooperation"]]
    timed = own if len(own) else timed
    if timed.empty:
        return Cell(missing=NOT_RUN)
    deepest = timed[timed["depth"] == timed["depth"].max()].groupby("stage")["time_ms"].median()
    each = deepest["score pairs"] / timed["depth"].max()
    return Cell(value=float(deepest["encode query"] + deepest["search"] + pairs * each))


def require_baselines(config: Any, path: str, entry: Settings) -> None:
    """ValueError where what others are compared with is not measured."""
    measured = {system for name in entry.experiments for system in config.experiments[name].systems}
    fusions = {fusion.label for name in entry.experiments for fusion in config.experiments[name].fusions}
    for key in ("bi_encoder", "cooperation"):
        if getattr(entry, key) not in measured or "none" not in fusions:
            raise ValueError(
                f"{path}.{key} is {getattr(entry, key)!r}, with which others are compared; its experiments need that system, "
                "and the fusion {method: none}"
            )


KIND = Kind(
    Settings,
    reads=(Reads(lambda places: places.measures("measures"), "measures.csv", read_seeds), LATENCY),
    make=beyond_table,
    requires="latency",
    check=require_baselines,
)
