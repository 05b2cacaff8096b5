"""Ids to batches: captions tokenised once, regions gathered from the memory map in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from reranksmart.files.hub import running_no_code
from reranksmart.files.image_store import ImageStore
from reranksmart.files.picture_store import PictureStore
from reranksmart.files.reading import reading
from reranksmart.files.region_store import RegionStore
from reranksmart.values.batches import RegionBatch, TextBatch
from reranksmart.values.ragged import Ragged, offsets_of
from reranksmart.values.records import Captions


def open_tokeniser(folder: Path) -> PreTrainedTokenizerBase:
    """The tokeniser saved in a backbone's or model's folder; never asks a hub."""
    with (
        running_no_code(folder),
        reading(folder, remedy="The folder of a backbone or model is needed; delete it to have it made again."),
    ):
        tokeniser = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        tokeniser("a")  # some faults show at the first text only
        if tokeniser.pad_token_id is None:
            raise ValueError("its tokeniser has no padding token: tokenizer_config.json or special tokens are missing")
        return tokeniser


@dataclass(frozen=True)
class TokenisedCaptions(Ragged):
    """Token ids of N captions, special tokens included."""

    tokens: NDArray[np.int32]
    pad_id: int

    per_row: ClassVar[tuple[str, ...]] = ("tokens",)

    @staticmethod
    def of(captions: Captions, tokeniser: PreTrainedTokenizerBase, *, max_tokens: int) -> "TokenisedCaptions":
        """Each caption cut to ``max_tokens`` tokens, special tokens not counted."""
        if not len(captions):
            raise ValueError("there is no caption to tokenise; check the split's captions.jsonl")
        specials = tokeniser.num_special_tokens_to_add()
        encoded = tokeniser(list(captions.texts), truncation=True, max_length=max_tokens + specials)["input_ids"]
        return TokenisedCaptions._of_ids(encoded, tokeniser)

    @staticmethod
    def of_tags(store: RegionStore, tokeniser: PreTrainedTokenizerBase, *, max_tokens: int) -> "TokenisedCaptions":
        """The object tags of each image without special tokens, cut to ``max_tokens``; ValueError where there are none."""
        texts = store.object_tags()
        encoded = tokeniser(texts, truncation=True, max_length=max_tokens, add_special_tokens=False)["input_ids"]
        return TokenisedCaptions._of_ids(encoded, tokeniser)

    @staticmethod
    def _of_ids(encoded: Sequence[Sequence[int]], tokeniser: PreTrainedTokenizerBase) -> "TokenisedCaptions":
        return TokenisedCaptions(
            offsets=offsets_of([len(ids) for ids in encoded]),
            tokens=np.concatenate([np.asarray(ids, dtype=np.int32) for ids in encoded]),
            pad_id=int(tokeniser.pad_token_id),
        )

    def batch(self, rows: Sequence[int] | NDArray[np.integer]) -> TextBatch:
        """The captions at ``rows``, padded to the longest of them."""
        columns, mask = self.columns(rows)
        tokens = np.where(mask, self.tokens[columns], self.pad_id).astype(np.int64)
        return TextBatch(torch.from_numpy(tokens), torch.from_numpy(mask))


class ImageInputs(Protocol):
    """Images by row: their lengths in tokens, and batches that a model reads."""

    @property
    def lengths(self) -> NDArray[np.int64]: ...

    def batch(self, rows: NDArray[np.integer]) -> Any: ...


class CaptionInputs(ImageInputs, Protocol):
    """Captions by row, likewise."""

    def __len__(self) -> int: ...


class StoredImages(CaptionInputs, Protocol):
    """The images of a store by row."""

    @property
    def store(self) -> ImageStore | PictureStore: ...

    def first(self, count: int) -> "StoredImages": ...


@dataclass(frozen=True)
class RegionInputs:
    """Regions of a store as batches, the first ``max_regions`` of each image, with its object tags if given."""

    store: RegionStore
    max_regions: int = 50
    tags: TokenisedCaptions | None = None

    @staticmethod
    def read_by(folder: Path, store: RegionStore, *, tag_tokens: int) -> "RegionInputs":
        """The regions as the model or backbone in ``folder`` reads them; 0 ``tag_tokens``: without object tags."""
        if not tag_tokens:
            return RegionInputs(store)
        return RegionInputs(store, tags=TokenisedCaptions.of_tags(store, open_tokeniser(folder), max_tokens=tag_tokens))

    def __len__(self) -> int:
        return len(self.store)

    def first(self, count: int) -> "RegionInputs":
        """Of the first images only, in memory."""
        rows = range(min(count, len(self)))
        tags = self.tags.take(rows) if self.tags is not None else None
        return RegionInputs(self.store.take(rows), self.max_regions, tags)

    @property
    def region_counts(self) -> NDArray[np.int64]:
        """The regions of each image that are read (N,)."""
        return np.minimum(self.store.lengths, self.max_regions)

    @property
    def lengths(self) -> NDArray[np.int64]:
        return lengths_with_tags(self.region_counts, self.tags)

    def batch(self, rows: Sequence[int] | NDArray[np.integer]) -> RegionBatch:
        """The images at ``rows`` of the store, padded to the one with the most regions."""
        columns, mask = self.store.columns(rows, longest=self.max_regions)
        features = self.store.features[columns].astype(np.float32)
        boxes = np.asarray(self.store.boxes[columns], dtype=np.float32)
        features[~mask] = 0
        boxes[~mask] = 0
        self._require_sound(features, boxes, rows)
        tags = None if self.tags is None else self.tags.batch(rows)
        return RegionBatch(torch.from_numpy(features), torch.from_numpy(boxes), torch.from_numpy(mask), tags)

    def _require_sound(
        self, features: NDArray[np.float32], boxes: NDArray[np.float32], rows: Sequence[int] | NDArray[np.integer]
    ) -> None:
        """ValueError naming the image whose numbers no writer would have let through: the disk changed them."""
        sound = np.isfinite(features.sum(axis=(1, 2))) & ((boxes >= 0) & (boxes <= 1)).all(axis=(1, 2))
        if not sound.all():
            image_id = self.store.image_ids[int(np.asarray(rows)[int((~sound).argmax())])]
            raise ValueError(
                f"image {image_id!r} has a region feature that is not finite or a box outside [0, 1]; its region store "
                "is damaged. Delete it to have the regions extracted again."
            )


def lengths_with_tags(region_counts: NDArray[np.int64], tags: TokenisedCaptions | None) -> NDArray[np.int64]:
    """The tokens of each image (N,): its regions, and its tags with the [SEP] that ends them."""
    return region_counts if tags is None else region_counts + tags.lengths + 1
