"""The audit of a training set: which of its images stand in what its models are tested on, by id and by content."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.datasets.prepared.overlap import find_leaks, overlap
from reranksmart.files.storage import read_captions


def audit_training(
    *,
    training_set: str,
    trained: Mapping[str, Path],
    tested: Mapping[str, Sequence[Path]],
    allowed: Collection[str] = (),
    languages: Mapping[str, Collection[str]] | None = None,
) -> list[dict[str, Any]]:
    """For each test set and each of train, dev and what backbones were made on: how many images both have, and whether that is allowed.

    ``trained`` maps these roles, of which ``dev`` is one, to prepared splits, ``tested`` each test set to those of its gallery. A picture of
    another id but with the same content counts as the same image. ValueError lists what is shared but not allowed, and
    what is allowed but not shared.

    ``languages`` are those in which each test set is measured: there every image of its first split has a caption.
    """
    for name, measured in (languages or {}).items():
        _require_described(name, tested[name][0], measured)
    folders = [*trained.values(), *(folder for splits in tested.values() for folder in splits)]
    ids = {folder: read_image_ids(folder) for folder in folders}
    same = _same_pictures({folder: ids[folder] for folder in dict.fromkeys(folders)})
    learned = {
        f"{training_set} ({role})": [same.get(image, image) for image in ids[folder]]
        for role, folder in trained.items()
    }
    asked = {
        name: [same.get(image, image) for folder in splits for image in ids[folder]] for name, splits in tested.items()
    }
    pairs = [(role, name) for role in learned for name in asked if name in allowed]
    leaks = {(leak.first, leak.second) for leak in find_leaks(learned, asked, allowed=pairs)}
    _require_selected_apart(learned)
    for name in allowed:
        if not any(test_set == name for _, test_set in leaks):
            raise ValueError(
                f"the leak of {training_set!r} into {name!r} is allowed, but there is none. Remove it from allowed_leaks."
            )
    return [_row(role, images, name, asked[name]) for role, images in learned.items() for name in asked]


def _require_described(test_set: str, folder: Path, languages: Collection[str]) -> None:
    """ValueError where an image of a split lacks a caption in a language, which its measures would fail for."""
    captions = read_captions(folder / "captions.jsonl")
    described = {language: set(captions.in_any_language([language]).image_ids) for language in languages}
    for language, images in described.items():
        if lacking := [image for image in dict.fromkeys(captions.image_ids) if image not in images]:
            raise ValueError(
                f"test set {test_set!r}: {len(lacking):,} of {len(set(captions.image_ids)):,} images have no caption in "
                f"{language!r}, as {', '.join(map(repr, lacking[:3]))}. Write one for each, leave these images out of split "
                f"{folder.name!r}, or take {language!r} out of the languages of the dataset or the backbone."
            )


def _row(role: str, images: Iterable[str], name: str, tested: Iterable[str]) -> dict[str, Any]:
    found = overlap(role, images, name, tested)
    counts = {"trained_images": found.first_size, "tested_images": found.second_size, "shared": len(found.shared)}
    return {"trained": role, "tested": name, **counts, "shown": list(found.shared[:3])}


def _require_selected_apart(learned: Mapping[str, Sequence[str]]) -> None:
    """ValueError where dev shares an image with train, or with what a backbone was made on."""
    dev = next(role for role in learned if role.endswith("(dev)"))
    for role, images in learned.items():
        if role != dev and (found := overlap(role, images, dev, learned[dev])).shared:
            raise ValueError(f"{found}; models would be selected on images that they learn. Use other splits.")


def _same_pictures(ids: Mapping[Path, Sequence[str]]) -> dict[str, str]:
    """For each image whose picture has the content of an earlier one of another id: that one's id.

    Only pictures of equal size in bytes are read.
    """
    by_size: dict[int, dict[str, Path]] = defaultdict(dict)
    for folder, image_ids in ids.items():
        for image_id in image_ids:
            if (path := picture_path(folder, image_id)).exists():
                by_size[path.stat().st_size].setdefault(image_id, path)
    same: dict[str, str] = {}
    for pictures in by_size.values():
        first: dict[str, str] = {}
        for image_id, path in pictures.items() if len(pictures) > 1 else ():
            owner = first.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), image_id)
            if owner != image_id:
                same[image_id] = owner
    return same
