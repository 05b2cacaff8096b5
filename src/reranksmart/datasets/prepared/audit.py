"""Proof that splits share nothing: pictures by content, captions by id, and what composed scenes say and show."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from reranksmart.datasets.composed.scenes import read_scenes
from reranksmart.datasets.composed.stamps import Stamp
from reranksmart.files.storage import read_captions

Key = TypeVar("Key")
Owner = TypeVar("Owner")


def audit_splits(folders: Mapping[str, Path]) -> dict[str, int]:
    """How many pictures and captions were compared; ValueError names the first that two splits share.

    ``folders`` maps split names to prepared splits. Pictures are compared by content; one split may hold doubles.
    """
    pictures: dict[str, Path] = {}
    captions: dict[str, str] = {}
    for split, folder in folders.items():
        own: dict[str, Path] = {}
        for path in sorted((folder / "images").iterdir()):
            own.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
        for digest, path in own.items():
            _require_new(pictures, digest, path, "the same picture")
        for caption_id in read_captions(folder / "captions.jsonl").ids:
            _require_new(captions, caption_id, split, f"the caption id {caption_id!r}")
    return {"pictures": len(pictures), "captions": len(captions)}


def audit_scenes(folders: Mapping[str, Path], *, unseen_stamps: Iterable[Stamp]) -> dict[str, int]:
    """How many layouts, stamps and caption texts were compared, after proving three things, or ValueError.

    No two scenes are the same; a held-out stamp is shown in the split ``unseen`` and nowhere else; no text of train or
    dev is a text of any other split.
    """
    held_out = {stamp.id for stamp in unseen_stamps}
    layouts: dict[tuple[object, ...], str] = {}
    used: set[str] = set()
    texts = {split: set(read_captions(folder / "captions.jsonl").texts) for split, folder in folders.items()}
    for split, folder in folders.items():
        for scene in read_scenes(folder / "scenes.jsonl"):
            _require_new(layouts, tuple(sorted(scene.objects, key=repr)), scene.image_id, "the same objects and places")
            for item in scene.objects:
                used.add(item.stamp_id)
                if (item.stamp_id in held_out) != (split == "unseen"):
                    kind = "held out" if item.stamp_id in held_out else "not held out"
                    raise ValueError(f"{scene.image_id} of split {split!r} shows {item.stamp_id!r}, which is {kind}.")
    for split in {"train", "dev"} & set(folders):
        for other in set(folders) - {split}:
            if shared := texts[split] & texts[other]:
                raise ValueError(f"splits {split!r} and {other!r} share {len(shared)} captions, as {min(shared)!r}.")
    return {"layouts": len(layouts), "stamps": len(used), "texts": len(set().union(*texts.values()))}


def _require_new(known: dict[Key, Owner], key: Key, owner: Owner, what: str) -> None:
    if key in known:
        raise ValueError(
            f"{known[key]} and {owner} have {what}; splits must be disjoint. Take it out of one of the two, or make composed "
            "scenes with another seed."
        )
    known[key] = owner
