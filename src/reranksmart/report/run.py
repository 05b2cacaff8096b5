"""The page of one run: what it was, what came out, and where it came from."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reranksmart.datasets.prepared.layout import picture_path
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import read_captions, read_json, read_pair_scores, read_ranking, read_relevance
from reranksmart.report.examples import choose_examples
from reranksmart.report.page import render_page
from reranksmart.report.pictures import Example
from reranksmart.report.plots import read_plot
from reranksmart.report.summary import facts
from reranksmart.report.table import Table
from reranksmart.report.times import steps
from reranksmart.values.records import Direction

METHOD = (
    "A bi-encoder embeds captions and images apart, so that a query costs one pass and a nearest-neighbour search. A "
    "cross-encoder reads caption and image regions together: more accurate, but one pass for every item. In "
    "cooperation the bi-encoder retrieves the k nearest items and the cross-encoder re-ranks those k.",
    "Separate training (Sep) holds two models. Joint training alternates both objectives on one set of weights, so that "
    "one model plays both roles at half the parameters.",
    "Pictures are read as the backbone wants them: as regions, each with its feature vector and the place of its box, or as "
    "pixels.",
)
FACTS = (
    "Text-to-image R@1 in percent, ± the standard deviation over seeds or [95 % interval]. BE is the bi-encoder alone, CE the "
    "cross-encoder on every pair; in Coop the one retrieves and the other re-ranks. Sep has a model for each, Joint one for both."
)


@dataclass(frozen=True)
class RunSettings:
    """What the configuration says of the whole run."""

    tables: Sequence[str]
    """Files, as are the next three."""
    figures: Sequence[str]
    models: Sequence[str]
    comparisons: Sequence[str]
    benchmarks: str
    """The folder of Snakemake's benchmarks."""
    headline: str
    examples: Mapping[str, str]
    language: str
    depth: int
    labels: Mapping[str, str]
    roles: Mapping[str, Mapping[str, str]]
    words: Mapping[str, str]
    seeds: Sequence[int]
    datasets: Mapping[str, str]
    """What there is to say of each; empty where it is known."""


def page_of_run(
    run: RunSettings, tables: Sequence[Table], headline: Table, deviations: Table | None, sentences: Sequence[str]
) -> str:
    """The page as HTML, from the files of the results folder."""
    return render_page(
        title="Retrieve fast, rerank smart",
        subtitle=f"Geigle et al. 2022, run on {', '.join(run.datasets)} with seeds {', '.join(map(str, run.seeds))}",
        facts=facts(headline, run.roles),
        facts_label=FACTS,
        headline=[said for said in sentences if "?" not in said],
        claims=[said for said in sentences if "?" in said],
        tables=[*sorted(tables, key=_place_in_paper), *([deviations] if deviations else [])],
        figures=[read_plot(Path(path)) for path in run.figures if path.endswith(".txt")],
        examples=_examples(run),
        method=(*METHOD, *dict.fromkeys(filter(None, run.datasets.values()))),
        provenance=[_provenance(Path(folder)) for folder in run.models],
        steps=steps(Path(run.benchmarks)),
        files=[table.name for table in tables],
        trainings=_trainings(run.models),
        libraries=list(dict.fromkeys(_libraries(Path(folder)) for folder in run.models)),
    )


def _place_in_paper(table: Table) -> float:
    """The number of the paper's table that it repeats; those of our own come after all of them, as configured."""
    found = re.match(r"Table (\d+):", table.title)
    return int(found[1]) if found else float("inf")


def _examples(run: RunSettings) -> list[Example]:
    """Queries of the headline's first system that re-ranks, in both directions; none where it has no such system."""
    if not run.examples:
        return []
    place = {role: Path(path) for role, path in run.examples.items()}
    captions = read_captions(place["data"] / "captions.jsonl")
    images = dict.fromkeys(captions.image_ids)
    found = {image_id: picture_path(place["data"], image_id) for image_id in images}
    pictures = {image_id: path for image_id, path in found.items() if path.exists()}
    regions = RegionStore.open(place["regions"]) if "regions" in place else None
    relevance = read_relevance(place["relevance"])
    shown: list[Example] = []
    for direction in Direction:
        name = f"{run.language}.{direction}"
        shown += choose_examples(
            read_ranking(place["ranking"] / f"{name}.npz"),
            read_pair_scores(place["pair_scores"] / f"{name}.npy")[:, : run.depth],
            direction,
            captions=captions,
            relevance=relevance,
            regions=regions,
            pictures=pictures,
            seed=run.seeds[0],
        )
    return shown


def _provenance(folder: Path) -> dict[str, Any]:
    found = read_json(folder / "provenance.json")
    return {
        "model": "/".join(folder.parts[2:-1]),
        "seed": found["seed"],
        "code": found["code"],
        "settings": found["settings_digest"],
        "device": found["device"],
        "threads": found["threads"],
    }


def _trainings(folders: Sequence[str]) -> list[dict[str, str]]:
    """A row a setting, a column a model that was trained, which all its seeds share."""
    found: dict[str, dict[str, Any]] = {}
    for folder in map(Path, folders):
        made = read_json(folder / "provenance.json")
        if made["verb"] == "train":
            found["/".join(folder.parts[2:-2])] = flat(json.loads(made["arguments"]["settings"]))
    keys = sorted({key for settings in found.values() for key in settings})
    return [{"setting": key, **{name: own.get(key, "") for name, own in found.items()}} for key in keys]


def flat(settings: Mapping[str, Any], path: str = "") -> dict[str, str]:
    """Each value that is set, by its path: ``{"bi_encoder.loss": "infonce"}``."""
    told: dict[str, str] = {}
    for key, value in settings.items():
        told |= flat(value, f"{path}{key}.") if isinstance(value, dict) else {f"{path}{key}": str(value)}
    return {key: value for key, value in told.items() if value not in ("None", "[]")}


def _libraries(folder: Path) -> str:
    found = read_json(folder / "provenance.json")
    return f"Python {found['python']}, " + ", ".join(
        f"{name} {version}" for name, version in found["libraries"].items()
    )
