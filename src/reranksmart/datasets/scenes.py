"""Composed scenes: photographs of stamps on a soft background, with captions that are true by construction."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from reranksmart.datasets import Dataset
from reranksmart.datasets.prepared.layout import Prepared
from reranksmart.values.settings import Count, Name, OwnPath, Seed


class Scenes(Dataset):
    kind: Literal["scenes"]
    seed: Seed = Field(1, description="seed of stamps held out, scenes and captions")
    languages: tuple[Literal["en", "de", "fr", "cs"], ...] = Field(
        ("en", "de", "fr", "cs"), description="of the captions that are composed"
    )
    stamps: OwnPath | None = Field(None, description="path of the stamps' archive or folder; null fetches it")
    splits: dict[Name, Count] = Field(description="number of images of each split")

    about = (
        "The embedded default composes photographs into scenes and describes them by what is true of them: every caption is "
        "relevant to every scene in which it is true. It is another, smaller and easier dataset than the paper's: compare "
        "differences between systems, not values."
    )
    needs_stamps = True
    disjoint = True

    def prepare(self, split: str, folder: Path, *, name: str, stamps: Path | None = None) -> Prepared:
        from reranksmart.datasets.composed.splits import write_split  # OpenCV is slow to import, and only this draws
        from reranksmart.datasets.composed.stamps import seen_and_unseen

        if stamps is None:
            raise ValueError("scenes are composed of stamps; give --stamps, which rule fetch_stamps makes")
        seen, unseen = seen_and_unseen(stamps, seed=self.seed)
        size = self.splits[split]
        shown = {"unseen": unseen, "pretrain": [*seen, *unseen]}.get(split, seen)
        write_split(folder, split, size=size, seed=self.seed, stamps=shown)
        return Prepared(size)

    def audit(self, folders: Mapping[str, Path], *, stamps: Path | None = None) -> dict[str, int]:
        """Pictures, captions and, with the stamps, what the scenes show and say."""
        from reranksmart.datasets.composed.audit import audit_scenes  # as above
        from reranksmart.datasets.composed.stamps import seen_and_unseen

        found = super().audit(folders)
        if stamps is not None:
            found |= audit_scenes(folders, unseen_stamps=seen_and_unseen(stamps, seed=self.seed)[1])
        return found

    def image_count(self, split: str) -> int:
        return self.splits[split] * (2 if split == "twins" else 1)
