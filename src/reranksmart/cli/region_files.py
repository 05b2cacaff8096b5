"""The verb that reads published region features into a split's region store."""

import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from reranksmart.cli.verb import NewFolder, verb
from reranksmart.datasets.prepared.layout import read_image_ids
from reranksmart.datasets.published.texts import read_lines
from reranksmart.files.picture_folders import LeftOut, write_left_out
from reranksmart.files.region_store import RegionStore
from reranksmart.regions.formats.folders import read_npy_folder, read_npz_folder, read_pt_folder
from reranksmart.regions.formats.identities import PublishedNames
from reranksmart.regions.formats.images import PublishedImage
from reranksmart.regions.formats.oscar import read_object_tags, read_oscar_features
from reranksmart.regions.formats.tsv import read_bottom_up_tsv, read_lxmert_tsv
from reranksmart.regions.formats.vinvl import VinvlLabels, read_vinvl_tsv
from reranksmart.regions.formats.volta import read_volta_h5
from reranksmart.regions.formats.writer import convert_regions, images_alone
from reranksmart.regions.settings import RegionFiles

_NAMED = 10
_READERS = {
    "oscar": read_oscar_features,
    "bottom_up_tsv": read_bottom_up_tsv,
    "lxmert_tsv": read_lxmert_tsv,
    "npz": read_npz_folder,
    "pt": read_pt_folder,
    "npy": read_npy_folder,
    "volta": read_volta_h5,
}


@verb()
def import_regions_verb(
    data: Annotated[Path, typer.Option(help="folder of a prepared split")],
    split: Annotated[str, typer.Option()],
    settings: Annotated[str, typer.Option(help="the dataset's region files as JSON")],
    output: NewFolder,
) -> None:
    """Reads the regions of a split's images from published files; a missing image is an error that names it."""
    files = RegionFiles.model_validate_json(settings)
    paths = [Path(path) for path in files.paths_of(split)]
    if not paths:
        raise ValueError(f"no region files are given for split {split!r}; name them in regions.paths or split_paths.")
    for path in paths:
        if not path.exists():
            raise ValueError(f"{path} does not exist; set the dataset's regions to where its files are.")
    names = PublishedNames.of(read_image_ids(data))
    images, label_names = _read(files, paths)
    store = convert_regions(
        images,
        output,
        image_id=names.image_id,
        label_names=label_names,
        tags=_tags(Path(files.tags[split]), names) if split in files.tags else None,
        wanted=names.wanted,
        feature_size=files.feature_size,
    )
    _report_alone(store, output)


def _report_alone(store: RegionStore, folder: Path) -> None:
    """Counts the images that have no regions in the files and names the first ten, all of them in ``skipped.jsonl``."""
    if alone := images_alone(store):
        reason = "no region in the files: the whole image stands for one, its features are 0"
        write_left_out(folder, [LeftOut(image_id, reason, "images without regions") for image_id in alone])
        shown = ", ".join(alone[:_NAMED]) + (", ..." if len(alone) > _NAMED else "")
        print(f"{len(alone):,} of {len(store):,} images have {reason} ({shown}).", file=sys.stderr)


def _tags(path: Path, names: PublishedNames) -> dict[str, str]:
    """The object tags of the split's images; ValueError where one has none."""
    found = read_object_tags(path, image_id=names.image_id)
    if lacking := sorted(names.wanted - set(found)):
        raise ValueError(
            f"{path}: {len(lacking):,} images of this split have no tags, as {lacking[0]!r}. Give the tags of the same split."
        )
    return {image_id: found[image_id] for image_id in names.wanted}


def _read(files: RegionFiles, paths: Sequence[Path]) -> tuple[Iterator[PublishedImage], Sequence[str]]:
    """The images of all files as one, and the names of the classes."""
    if files.format == "vinvl":
        labels = VinvlLabels.read(Path(files.labels)) if files.labels else None
        found = chain.from_iterable(read_vinvl_tsv(path, labels) for path in paths)
        return found, labels.names if labels else ()
    names = [line.strip() for line in read_lines(Path(files.labels))] if files.labels else []
    return chain.from_iterable(_READERS[files.format](path) for path in paths), names
