"""What an index holds, in memory: its parts as one gallery."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import faiss

from reranksmart.records import Captions
from reranksmart.regions import RegionStore
from reranksmart.searching.folder import Part, PictureFile, part_folders, read_part


class Contents:
    """The pictures and captions of all parts in order, one faiss index over each, regions left in their parts.

    The first part's index is searched and takes the vectors of the others: nothing is built again.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self.parts = list(parts)
        self.pictures: list[PictureFile] = [picture for part in parts for picture in part.pictures]
        self.images: faiss.Index = parts[0].images
        self.captions: Captions = parts[0].captions
        self.caption_vectors: faiss.Index | None = parts[0].caption_vectors
        for part in parts[1:]:
            self._grow(part)

    @staticmethod
    def read(folder: Path) -> Contents:
        return Contents([read_part(path, index=folder) for path in part_folders(folder)])

    def add(self, part: Part) -> None:
        """Takes in one more part, of pictures without captions."""
        self.parts.append(part)
        self.pictures += part.pictures
        self._grow(part)
        for name in ("_rows", "picture_by_id", "path_by_digest"):
            self.__dict__.pop(name, None)

    def _grow(self, part: Part) -> None:
        self.images.add(part.images.reconstruct_n(0, part.images.ntotal))

    @cached_property
    def picture_by_id(self) -> dict[str, PictureFile]:
        return {picture.id: picture for picture in self.pictures}

    @cached_property
    def path_by_digest(self) -> dict[str, Path]:
        return {picture.sha256: picture.path for picture in self.pictures}

    @cached_property
    def caption_row_by_id(self) -> dict[str, int]:
        return {caption_id: row for row, caption_id in enumerate(self.captions.ids)}

    @cached_property
    def _rows(self) -> dict[str, tuple[int, int]]:
        """The part and the row in its regions of each picture."""
        return {
            picture.id: (number, part.regions.row_by_id[picture.id])
            for number, part in enumerate(self.parts)
            for picture in part.pictures
        }

    def require_same_detector(self, regions: RegionStore) -> None:
        """ValueError where these regions name their objects otherwise than the index's."""
        if regions.label_names != self.parts[0].regions.label_names:
            raise ValueError(
                "the index's regions come of another detector than the one here, so that no picture can be added. "
                "Make the index again with `reranksmart gallery`."
            )

    def regions_of(self, image_ids: Iterable[str]) -> RegionStore:
        """The regions of these pictures, in their order."""
        ids = list(image_ids)
        rows = [(self.parts[number].regions, row) for number, row in (self._rows[image_id] for image_id in ids)]
        tags = [store.tags[row] for store, row in rows] if all(part.regions.tags for part in self.parts) else ()
        return RegionStore.from_regions(
            ids, [store[row] for store, row in rows], self.parts[0].regions.label_names, tags
        )
