"""Two models in the roles of a search: one embeds, the other reads pairs; they may be one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from reranksmart.families import load_model
from reranksmart.inputs.images import inputs_of
from reranksmart.inputs.raw import RawCaptions
from reranksmart.inputs.stored import CaptionInputs, StoredImages, TokenisedCaptions, open_tokeniser
from reranksmart.models.single_stream import SingleStream
from reranksmart.ranking.encoding import captions_for_pairs, encode_captions, encode_images, images_for_pairs
from reranksmart.ranking.reranking import score_pairs
from reranksmart.searching.folder import IndexSettings
from reranksmart.searching.sight import Pictures, Seen, Sight, sight_of
from reranksmart.values.records import Captions, Embeddings

_MOST_BYTES = 2**34  # a query's pictures are always prepared once: they are few


def as_captions(texts: Sequence[str]) -> Captions:
    """Texts that belong to no image yet, in any language."""
    ids = tuple(str(row) for row in range(len(texts)))
    return Captions(ids, tuple(texts), ids, ("en",) * len(texts))


@dataclass(frozen=True)
class RoleModel:
    """A model with its folder, and how it reads texts and pictures; without a tokeniser it reads them word for word."""

    model: Any
    folder: Path
    tokeniser: PreTrainedTokenizerBase | None
    sight: Sight
    max_tokens: int
    tag_tokens: int = 0

    @staticmethod
    def load(folder: Path, *, max_tokens: int, max_regions: int, tag_tokens: int) -> "RoleModel":
        """The model with what it needs; a text is cut to ``max_tokens``, or earlier where its positions end."""
        model = load_model(folder)
        sight = sight_of(model, folder, max_regions=max_regions)
        if model.facts.sees == "pictures":
            return RoleModel(model, folder, None, sight, max_tokens)
        tokeniser = open_tokeniser(folder)
        fit = _positions_of(model, beside=max_regions + tag_tokens) - tokeniser.num_special_tokens_to_add()
        if fit < 1:
            raise ValueError(
                f"beside {max_regions} regions and {tag_tokens} tags no text fits into the positions of the model {folder}. "
                "Fewer regions are needed; lower max_regions."
            )
        return RoleModel(model, folder, tokeniser, sight, min(max_tokens, fit), tag_tokens)

    def tokens(self, captions: Captions) -> CaptionInputs:
        if self.tokeniser is None:
            return RawCaptions(captions.texts)
        return TokenisedCaptions.of(captions, self.tokeniser, max_tokens=self.max_tokens)

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """The words that the tokeniser has nothing for; the model reads a mark for the unknown in their place."""
        if self.tokeniser is None:
            return ()
        unknown = self.tokeniser.unk_token
        words = re.findall(r"[^\W_]+", text) if unknown else []
        return tuple(dict.fromkeys(word for word in words if unknown in self.tokeniser.tokenize(word)))

    def inputs(self, seen: Seen) -> StoredImages:
        """The pictures as the model reads them, with their object tags where it was trained with them."""
        return inputs_of(seen, read_by=self.folder, tag_tokens=self.tag_tokens)


def _positions_of(model: Any, *, beside: int) -> int:
    """The longest text in tokens that a model has positions for, special tokens included.

    In single-stream models regions and tags, ``beside`` tokens, may have positions too.
    """
    positions: int = model.config.max_positions - beside if isinstance(model, SingleStream) else model.positions
    return positions


@dataclass(frozen=True)
class Looked:
    """Pictures as each role sees them; the reranker's are kept."""

    retriever: Seen
    reranker: Seen


@dataclass(frozen=True)
class RoleModels:
    """A retriever and a reranker, which may be one."""

    retriever: RoleModel
    reranker: RoleModel

    @staticmethod
    def load(folder: Path, settings: IndexSettings) -> "RoleModels":
        """The models of an index."""
        shared = {"max_regions": settings.max_regions, "tag_tokens": settings.tag_tokens}
        retriever = RoleModel.load(folder / settings.retriever, max_tokens=settings.max_tokens, **shared)
        if settings.reranker == settings.retriever:
            return RoleModels(retriever, retriever)
        tokens = settings.reranker_max_tokens or settings.max_tokens
        return RoleModels(retriever, RoleModel.load(folder / settings.reranker, max_tokens=tokens, **shared))

    def look(self, pictures: Pictures) -> Looked:
        """The pictures as both roles read them, looked at once where they see alike."""
        kept = self.reranker.sight.look(pictures)
        if self.retriever.sight == self.reranker.sight:
            return Looked(kept, kept)
        return Looked(self.retriever.sight.look(pictures), kept)

    def embed_texts(self, captions: Captions) -> Embeddings:
        """Unit vectors (N, D) of captions."""
        return encode_captions(self.retriever.model, self.retriever.tokens(captions), captions.ids)

    def embed_pictures(self, looked: Looked) -> Embeddings:
        """Unit vectors (N, D) of pictures."""
        return encode_images(self.retriever.model, self.retriever.inputs(looked.retriever))

    def score(
        self, texts: Captions, seen: Seen, text_rows: NDArray[np.integer], picture_rows: NDArray[np.integer]
    ) -> NDArray[np.float32]:
        """Log-odds (P,) that the text at ``text_rows[p]`` is true of the picture at ``picture_rows[p]``."""
        model = self.reranker.model
        captions = captions_for_pairs(model, self.reranker.tokens(texts))
        images = images_for_pairs(model, self.reranker.inputs(seen), most_bytes=_MOST_BYTES)
        return score_pairs(model, captions, images, text_rows, picture_rows, quiet=True)
