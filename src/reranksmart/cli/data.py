"""Verbs that make data: fetch the stamps, prepare a split, audit the splits, judge relevance."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from reranksmart.cli.broken import report_broken
from reranksmart.cli.published_captions import read_published
from reranksmart.config import Dataset, Files, PublishedDataset, Scenes
from reranksmart.datasets.composed.propositions import read_propositions, relevance
from reranksmart.datasets.composed.scenes import read_scenes
from reranksmart.datasets.composed.splits import concepts_of, write_split
from reranksmart.datasets.composed.stamp_archive import fetch_stamps
from reranksmart.datasets.composed.stamps import Stamp, hold_out, read_stamps, select_stamps, write_stamps
from reranksmart.datasets.files import prepare_file_split
from reranksmart.datasets.prepared.audit import audit_scenes, audit_splits
from reranksmart.datasets.prepared.layout import read_image_ids
from reranksmart.datasets.prepared.overlap import overlaps
from reranksmart.datasets.published.photographs import prepare_published_split
from reranksmart.files.code import code_digest
from reranksmart.files.provenance import write_provenance
from reranksmart.files.storage import read_captions, write_json, write_relevance
from reranksmart.files.writing import atomic_directory
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Relevance

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Stamps = Annotated[Path | None, typer.Option(help="the selected stamps, for composed scenes")]
UNSEEN_STAMPS = 36


def _seen_and_unseen(stamps: Path, seed: int) -> tuple[list[Stamp], list[Stamp]]:
    return hold_out(read_stamps(stamps), count=UNSEEN_STAMPS, seed=seed)


@app.command("fetch-stamps")
def fetch_stamps_verb(
    folder: Annotated[Path, typer.Option(help="where the pictures go")],
    output: Annotated[Path, typer.Option(help="the selected stamps as JSON Lines")],
    source: Annotated[Path | None, typer.Option(help="an archive or folder you have already")] = None,
) -> None:
    """Fetches the photographs that scenes are composed of, verifies them and selects those with usable names."""
    fetch_stamps(folder, source=source)
    write_stamps(output, select_stamps(folder))


@app.command("prepare-split")
def prepare_split_verb(
    split: Annotated[str, typer.Option()],
    settings: Annotated[str, typer.Option(help="a dataset's settings as JSON, with this split")],
    output: Annotated[Path, typer.Option()],
    stamps: Stamps = None,
) -> None:
    """Composes a split's scenes, or brings published captions or your own, with their pictures, into its form."""
    dataset: Scenes | Files | PublishedDataset = TypeAdapter(Dataset).validate_json(settings)
    seed = dataset.seed if isinstance(dataset, Scenes) else None
    with atomic_directory(output) as target:
        if isinstance(dataset, Scenes):
            if stamps is None:
                raise ValueError("scenes are composed of stamps; give --stamps, which rule fetch_stamps makes")
            seen, unseen = _seen_and_unseen(stamps, dataset.seed)
            pool = unseen if split == "unseen" else seen
            write_split(target, split, size=dataset.splits[split], seed=dataset.seed, stamps=pool)
        elif isinstance(dataset, Files):
            source = dataset.splits[split]
            name = output.parent.name
            captions = Path(source.captions) if source.captions else None
            found = prepare_file_split(target, captions, Path(source.images), dataset=name, languages=dataset.languages)
            report_broken(found.broken, of=len(found.image_ids) + len(found.broken))
        else:
            prepare_published_split(target, read_published(dataset, split), [Path(place) for place in dataset.images])
        write_provenance(target, verb="prepare-split", code=code_digest(__name__), settings=settings, seed=seed)


@app.command("audit-splits")
def audit_splits_verb(
    splits: Annotated[list[Path], typer.Argument(help="folders of all splits of a dataset")],
    settings: Annotated[str, typer.Option(help="the dataset's settings as JSON")],
    output: Annotated[Path, typer.Option()],
    stamps: Stamps = None,
) -> None:
    """Proves that the splits of a dataset share no picture and no caption, or names the first that they share."""
    dataset: Scenes | Files | PublishedDataset = TypeAdapter(Dataset).validate_json(settings)
    folders = {folder.name: folder for folder in splits}
    found = audit_splits(folders)
    if isinstance(dataset, Scenes) and stamps is not None:
        found |= audit_scenes(folders, unseen_stamps=_seen_and_unseen(stamps, dataset.seed)[1])
    write_json(output, found)


@app.command("judge")
def judge_verb(
    splits: Annotated[list[Path], typer.Argument(help="folders of the gallery's splits")],
    gallery: Annotated[str, typer.Option()],
    output: Annotated[Path, typer.Option()],
    stamps: Stamps = None,
) -> None:
    """Finds which captions are true of which images in a gallery: by truth for scenes, else by description."""
    Gallery.parse(gallery)
    _require_disjoint(splits)
    composed = [folder for folder in splits if (folder / "propositions.jsonl").exists()]
    parts = [
        read_captions(folder / "captions.jsonl").relevance()
        for folder in splits
        if stamps is None or folder not in composed
    ]
    if stamps is not None and composed:
        meanings = {
            key: value for folder in composed for key, value in read_propositions(folder / "propositions.jsonl").items()
        }
        scenes = [scene for folder in composed for scene in read_scenes(folder / "scenes.jsonl")]
        parts.insert(0, relevance(meanings, scenes, concepts_of(read_stamps(stamps))))
    found = Relevance(
        tuple(chain.from_iterable(part.caption_ids for part in parts)),
        tuple(chain.from_iterable(part.image_ids for part in parts)),
    )
    write_relevance(output, found)


def _require_disjoint(splits: list[Path]) -> None:
    """ValueError where two splits of a gallery share an image: it would stand there twice."""
    for shared in overlaps({f"{folder.parent.name}.{folder.name}": read_image_ids(folder) for folder in splits}):
        if shared.shared:
            raise ValueError(f"{shared}; a gallery has each image once. Leave one of the two splits out.")
