"""Published region features, in whichever format, read into the region store of a split."""

import sys
from collections.abc import Sequence
from pathlib import Path

from reranksmart.files.picture_folders import LeftOut, write_left_out
from reranksmart.files.region_store import RegionStore
from reranksmart.regions.formats.folders import read_npy_folder, read_npz_folder, read_pt_folder
from reranksmart.regions.formats.identities import PublishedNames
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


def import_regions(
    files: RegionFiles, split: str, folder: Path, *, image_ids: Sequence[str], class_names: Sequence[str] = ()
) -> None:
    """Writes the regions of a split's images; ValueError where a file or an image is missing.

    ``class_names``: those in the file of labels, which VinVL's format reads itself.
    """
    paths = [Path(path) for path in files.paths_of(split)]
    if not paths:
        raise ValueError(f"no region files are given for split {split!r}; name them in regions.paths or split_paths.")
    for path in paths:
        if not path.exists():
            raise ValueError(f"{path} does not exist; set the dataset's regions to where its files are.")
    names = PublishedNames.of(image_ids)
    if files.format == "vinvl":
        labels = VinvlLabels.read(Path(files.labels)) if files.labels else None
        images = (image for path in paths for image in read_vinvl_tsv(path, labels))
        class_names = labels.names if labels else ()
    else:
        images = (image for path in paths for image in _READERS[files.format](path))
    store = convert_regions(
        images,
        folder,
        image_id=names.image_id,
        label_names=class_names,
        tags=_tags(Path(files.tags[split]), names) if split in files.tags else None,
        wanted=names.wanted,
        feature_size=files.feature_size,
        feature_type=files.feature_type,
    )
    _report(store, folder)


def _report(store: RegionStore, folder: Path) -> None:
    """Counts the images; names the first ten that have no regions in the files, and all of them in ``skipped.jsonl``."""
    alone = images_alone(store)
    print(f"regions of {len(store):,} images read, {len(alone):,} of them without any in the files", file=sys.stderr)
    if alone:
        reason = "no region in the files: the whole image stands for one, its features are 0"
        write_left_out(folder, [LeftOut(image_id, reason, "images without regions") for image_id in alone])
        shown = ", ".join(alone[:_NAMED]) + (", ..." if len(alone) > _NAMED else "")
        print(f"{reason} ({shown})", file=sys.stderr)


def _tags(path: Path, names: PublishedNames) -> dict[str, str]:
    """The object tags of the split's images; ValueError where one has none."""
    found = read_object_tags(path, image_id=names.image_id)
    if lacking := sorted(names.wanted - set(found)):
        raise ValueError(
            f"{path}: {len(lacking):,} images of this split have no tags, as {lacking[0]!r}. Give the tags of the same split."
        )
    return {image_id: found[image_id] for image_id in names.wanted}
