"""Proof that the splits of a dataset share nothing: pictures by content, captions by id."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

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
            require_new(pictures, digest, path, "the same picture")
        for caption_id in read_captions(folder / "captions.jsonl").ids:
            require_new(captions, caption_id, split, f"the caption id {caption_id!r}")
    return {"pictures": len(pictures), "captions": len(captions)}


def require_new(known: dict[Key, Owner], key: Key, owner: Owner, what: str) -> None:
    """Records who has a key; ValueError names both where another has it already."""
    if key in known:
        raise ValueError(
            f"{known[key]} and {owner} have {what}; splits must be disjoint. Take it out of one of the two, or make composed "
            "scenes with another seed."
        )
    known[key] = owner
