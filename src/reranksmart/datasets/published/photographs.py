"""A prepared split of a published dataset: its captions, and links to its pictures where there are any."""

from collections.abc import Sequence
from pathlib import Path

from reranksmart.datasets.prepared.layout import Prepared, picture_path
from reranksmart.files.storage import write_captions
from reranksmart.files.writing import atomic_directory
from reranksmart.values.records import Captions

_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def prepare_published_split(folder: Path, captions: Captions, pictures: Sequence[Path]) -> Prepared:
    """The images that the split has, after writing the captions and these links into ``folder``.

    ``pictures`` are folders, searched in this order; without any the split has none and lives on region features.
    ValueError where a folder or a picture is missing.
    """
    for root in pictures:
        if not root.is_dir():
            raise ValueError(
                f"{root} is not a folder; set the dataset's images to folders of its pictures, or to none where region "
                "features are given."
            )
    image_ids = list(dict.fromkeys(captions.image_ids)) if pictures else []
    sources = {image_id: find_photograph(image_id, pictures) for image_id in image_ids}
    missing = [image_id for image_id, path in sources.items() if path is None]
    if missing:
        raise ValueError(
            f"{len(missing):,} of {len(image_ids):,} pictures are in none of {list(map(str, pictures))}, as "
            f"{missing[0]!r}: {' or '.join(_names(missing[0]))} was looked for. Add the folder that holds them to the "
            "dataset's images, or give region features and no images."
        )
    with atomic_directory(folder) as target:
        (target / "images").mkdir()
        for image_id, source in sources.items():
            picture_path(target, image_id).symlink_to(source.resolve())  # type: ignore[union-attr]
        write_captions(target / "captions.jsonl", captions)
    return Prepared(len(set(captions.image_ids)))


def find_photograph(image_id: str, folders: Sequence[Path]) -> Path | None:
    """The picture of an image under the name that its dataset gives it, in the first of these folders that has it."""
    return next((path for root in folders for name in _names(image_id) if (path := root / name).is_file()), None)


def _names(image_id: str) -> list[str]:
    """Paths below a folder of pictures: COCO's of 2014 or 2017, with and without the year's folder, others with any
    common ending."""
    dataset, name = image_id.split("/", 1)
    if dataset != "coco":
        return [f"{name}{ending}" for ending in _ENDINGS]
    parts = ("val", "train", "test")
    files = [(f"{part}2014", f"COCO_{part}2014_{int(name):012}.jpg") for part in parts]
    files += [(f"{part}2017", f"{int(name):012}.jpg") for part in parts]
    return [path for folder, file in files for path in (file, f"{folder}/{file}")]
