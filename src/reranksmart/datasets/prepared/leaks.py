"""The audit of a training set: which of its images stand in what its models are tested on, by id and by content."""

import hashlib
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from reranksmart.datasets.prepared.content import Looks
from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.datasets.prepared.overlap import find_leaks, overlap
from reranksmart.files.storage import read_captions

_SHOWN = 3


def audit_training(
    *,
    training_set: str,
    trained: Mapping[str, Path],
    tested: Mapping[str, Sequence[Path]],
    allowed: Collection[str] = (),
    languages: Mapping[str, Collection[str]] | None = None,
    doubles: Literal["warn", "refuse"] = "warn",
) -> list[dict[str, Any]]:
    """For each test set and each of train, dev and what backbones were made on: how many images both have, and how many
    of the test's look as one of another dataset's that is learned.

    ``trained`` maps these roles, of which ``dev`` is one, to prepared splits, ``tested`` each test set to those of its gallery. A picture of
    another id but with the same content counts as the same image. ValueError lists what is shared but not allowed, and
    what is allowed but not shared.

    What looks alike, as a picture saved anew or made smaller, is warned of; with ``doubles: refuse`` it is a ValueError too.

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
    alike = _alike(trained, tested, same)
    rows = [
        _row(role, images, name, asked[name], alike=alike[folder, name])
        for (role, images), folder in zip(learned.items(), trained.values(), strict=True)
        for name in asked
    ]
    _tell(rows, doubles)
    return rows


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


def _row(role: str, images: Iterable[str], name: str, tested: Iterable[str], *, alike: Sequence[str]) -> dict[str, Any]:
    found = overlap(role, images, name, tested)
    counts = {"trained_images": found.first_size, "tested_images": found.second_size, "shared": len(found.shared)}
    shown = {"shown": list(found.shared[:_SHOWN]), "shown_alike": list(alike[:_SHOWN])}
    return {"trained": role, "tested": name, **counts, "alike": len(alike), **shown}


def _alike(
    trained: Mapping[str, Path], tested: Mapping[str, Sequence[Path]], same: Mapping[str, str]
) -> dict[tuple[Path, str], list[str]]:
    """For each learned split and test set: the images of the test's splits of other datasets that look as a learned one.

    Those that are the very same picture are counted as shared. Within a dataset its own audit compares.
    """
    found: dict[tuple[Path, str], list[str]] = {}
    looks = cache(Looks.of)
    for folder in trained.values():
        ids = set(read_image_ids(folder))
        shared = ids | {same.get(image, image) for image in ids}
        for name, splits in tested.items():
            others = [split for split in splits if split.parent.name != folder.parent.name]
            seen = [image for split in others for image in looks(split).like(looks(folder))]
            found[folder, name] = [image for image in seen if same.get(image, image) not in shared]
    return found


def _tell(rows: Sequence[Mapping[str, Any]], doubles: str) -> None:
    """Warns of pictures that look alike, or raises ValueError where these are to be refused."""
    told = "".join(
        f"\n  {row['alike']:,} of the {row['tested_images']:,} images of {row['tested']} look as one of {row['trained']}: "
        f"{', '.join(row['shown_alike'])}{', ...' if row['alike'] > _SHOWN else ''}"
        for row in rows
        if row["alike"]
    )
    if told and doubles == "refuse":
        raise ValueError(
            f"pictures of the training stand in tests, saved anew (doubles: refuse):{told}\nTake them out of one of the two."
        )
    if told:
        print(f"warning: a model may be tested on what it has learned:{told}", file=sys.stderr)


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
