"""What an index holds, in memory: its parts as one gallery."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import faiss
import numpy as np

from reranksmart.files.region_store import RegionStore
from reranksmart.inputs.images import concatenated
from reranksmart.searching.folder import Part, PictureFile, part_folders, read_part
from reranksmart.searching.sight import Seen
from reranksmart.values.records import Captions


class Contents:
    """The pictures and captions of all parts in order, one faiss index over each, what is seen of the pictures left in their parts.

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
    def read(folder: Path) -> "Contents":
        return Contents([read_part(path, index=folder) for path in part_folders(folder)])

    def add(self, part: Part) -> None:
        """Takes in one more part, of pictures without captions."""
        self.parts.append(part)
        self.pictures += part.pictures
        self._grow(part)
        for name in ("_rows", "picture_by_id", "path_by_digest"):
            self.__dict__.pop(name, None)

    def _grow(self, part: Part) -> None:
        self.require_same_width(part)
        self.images.add(part.images.reconstruct_n(0, part.images.ntotal))

    @cached_property
    def picture_by_id(self) -> dict[str, PictureFile]:
        return {picture.id: picture for picture in self.pictures}

    @cached_property
    def path_by_digest(self) -> dict[str, Path]:
        return {picture.sha256: picture.path for picture in self.pictures}

    def thumbnail(self, row: int) -> tuple[bytes, float]:
        """The small square JPEG of the picture at ``row``, and the whole picture's width / height."""
        ends = np.cumsum([len(part.pictures) for part in self.parts])
        number = int(np.searchsorted(ends, row, side="right"))
        part = self.parts[number]
        assert part.thumbnails is not None, "a part that was read has them"
        place = row - int(ends[number]) + len(part.pictures)
        return part.thumbnails[place], float(part.thumbnails.shapes[place])

    @cached_property
    def caption_row_by_id(self) -> dict[str, int]:
        return {caption_id: row for row, caption_id in enumerate(self.captions.ids)}

    @cached_property
    def _rows(self) -> dict[str, tuple[int, int]]:
        """The part and the row in its store of each picture."""
        return {
            picture.id: (number, part.seen.row_by_id[picture.id])
            for number, part in enumerate(self.parts)
            for picture in part.pictures
        }

    def require_same_width(self, part: Part) -> None:
        """ValueError where a part's vectors have another length than the index's."""
        if part.images.d != self.images.d:
            raise ValueError(
                f"pictures with vectors of {part.images.d:,} values cannot stand beside those of {self.images.d:,}: another "
                "retriever made them. Make the index again with one."
            )

    def require_same_detector(self, seen: Seen) -> None:
        """ValueError where regions name their objects otherwise than the index's."""
        own = self.parts[0].seen
        if isinstance(own, RegionStore) and isinstance(seen, RegionStore) and seen.label_names != own.label_names:
            raise ValueError(
                "the index's regions come of another detector than the one here, so that no picture can be added. "
                "Make the index again with `reranksmart gallery`."
            )

    def seen_of(self, image_ids: Iterable[str]) -> Seen:
        """What the reranker reads of these pictures, in their order."""
        places = [self._rows[image_id] for image_id in image_ids]
        return concatenated([self.parts[number].seen.take([row]) for number, row in places])
