"""Captions and pictures as they are, for models whose library prepares them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reranksmart.families import FAMILIES
from reranksmart.files.photographs import read_photograph
from reranksmart.files.picture_store import PictureStore
from reranksmart.files.storage import read_json
from reranksmart.inputs.stored import CaptionInputs, TokenisedCaptions, open_tokeniser
from reranksmart.models.checkpoints import CONFIG_FILE
from reranksmart.values.raw import Pictures, Texts
from reranksmart.values.records import Captions

_LETTERS_A_TOKEN = 4
_TOKENS_A_PICTURE = 400


@dataclass(frozen=True)
class RawCaptions:
    """Captions word for word; their lengths in tokens are estimates, by which batches are cut."""

    texts: tuple[str, ...]

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        return np.array([2 + len(text) // _LETTERS_A_TOKEN for text in self.texts], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.texts)

    def batch(self, rows: Sequence[int] | NDArray[np.integer]) -> Texts:
        return Texts(tuple(self.texts[row] for row in rows))


@dataclass(frozen=True)
class PictureInputs:
    """The pictures of a store, opened when they are read; each counts as many tokens as a picture has in the mean."""

    store: PictureStore

    def __len__(self) -> int:
        return len(self.store)

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.full(len(self), _TOKENS_A_PICTURE, dtype=np.int64)

    def first(self, count: int) -> "PictureInputs":
        return PictureInputs(self.store.take(range(min(count, len(self)))))

    def batch(self, rows: Sequence[int] | NDArray[np.integer]) -> Pictures:
        opened = {int(row): Image.fromarray(read_photograph(self.store.paths[row])) for row in sorted({*rows})}
        return Pictures(tuple(opened[int(row)] for row in rows), tuple(int(row) for row in rows))


def reads_pictures(folder: Path) -> bool:
    """Whether the model in ``folder`` reads texts and pictures as they are."""
    facts = (
        FAMILIES.get(read_json(folder / CONFIG_FILE).get("family", "")) if (folder / CONFIG_FILE).is_file() else None
    )
    return facts is not None and facts.sees == "pictures"


def caption_inputs(folder: Path, captions: Captions, *, max_tokens: int) -> CaptionInputs:
    """Captions as the model in ``folder`` reads them: its tokens, at most ``max_tokens``, or word for word where its
    library cuts them itself."""
    if reads_pictures(folder):
        return RawCaptions(captions.texts)
    return TokenisedCaptions.of(captions, open_tokeniser(folder), max_tokens=max_tokens)
