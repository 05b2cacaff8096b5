"""Verbs that make data: fetch the stamps, prepare a split, audit the splits, judge relevance."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from reranksmart.cli.broken import report_left_out
from reranksmart.cli.verb import new_folder, verb
from reranksmart.config.datasets import AnyDataset
from reranksmart.datasets import Dataset, module_of
from reranksmart.datasets.composed.stamp_archive import fetch_stamps
from reranksmart.datasets.composed.stamps import select_stamps, write_stamps
from reranksmart.datasets.prepared.relevance import relevance_of
from reranksmart.files.storage import write_json, write_relevance
from reranksmart.values.gallery import Gallery

Stamps = Annotated[Path | None, typer.Option(help="the selected stamps, for composed scenes")]
DATASET: TypeAdapter[Dataset] = TypeAdapter(AnyDataset)


@verb()
def fetch_stamps_verb(
    folder: Annotated[Path, typer.Option(help="where the pictures go")],
    output: Annotated[Path, typer.Option(help="the selected stamps as JSON Lines")],
    source: Annotated[Path | None, typer.Option(help="an archive or folder you have already")] = None,
) -> None:
    """Fetches the photographs that scenes are composed of, verifies them and selects those with usable names."""
    fetch_stamps(folder, source=source)
    write_stamps(output, select_stamps(folder))


@verb()
def prepare_split_verb(
    split: Annotated[str, typer.Option()],
    settings: Annotated[str, typer.Option(help="a dataset's settings as JSON, with this split")],
    output: Annotated[Path, typer.Option()],
    stamps: Stamps = None,
) -> None:
    """Composes a split's scenes, or brings published captions or your own, with their pictures, into its form."""
    dataset = DATASET.validate_json(settings)
    with new_folder(output, module_of(dataset.kind)) as target:
        found = dataset.prepare(split, target, name=output.parent.name, stamps=stamps)
        report_left_out(found.left_out, used=f"{found.images:,} pictures", folder=output)


@verb()
def audit_splits_verb(
    splits: Annotated[list[Path], typer.Argument(help="folders of all splits of a dataset")],
    settings: Annotated[str, typer.Option(help="the dataset's settings as JSON")],
    output: Annotated[Path, typer.Option()],
    stamps: Stamps = None,
) -> None:
    """Proves that the splits of a dataset share no picture and no caption, or names the first that they share."""
    folders = {folder.name: folder for folder in splits}
    write_json(output, DATASET.validate_json(settings).audit(folders, stamps=stamps))


@verb()
def judge_verb(
    splits: Annotated[list[Path], typer.Argument(help="folders of the gallery's splits")],
    gallery: Annotated[str, typer.Option()],
    output: Annotated[Path, typer.Option()],
    stamps: Stamps = None,
) -> None:
    """Finds which captions are true of which images in a gallery: by truth for scenes, else by description."""
    Gallery.parse(gallery)
    write_relevance(output, relevance_of(splits, stamps=stamps))
