"""Two models in the roles of a search: one embeds, the other reads pairs; they may be one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from reranksmart.encoding import EmbeddedImages, captions_for_pairs, encode_captions, encode_images
from reranksmart.inputs import RegionInputs, TokenisedCaptions, open_tokeniser
from reranksmart.models.checkpoints import load_model
from reranksmart.models.single_stream import SingleStream
from reranksmart.records import Captions, Embeddings
from reranksmart.regions import RegionStore
from reranksmart.reranking import score_pairs
from reranksmart.searching.folder import IndexSettings


def as_captions(texts: Sequence[str]) -> Captions:
    """Texts that belong to no image yet, in any language."""
    ids = tuple(str(row) for row in range(len(texts)))
    return Captions(ids, tuple(texts), ids, ("en",) * len(texts))


@dataclass(frozen=True)
class RoleModels:
    """A retriever and a reranker with their tokenisers."""

    retriever: SingleStream
    reranker: SingleStream
    retriever_tokeniser: PreTrainedTokenizerBase
    reranker_tokeniser: PreTrainedTokenizerBase
    max_tokens: int
    tag_tokens: int = 0

    @staticmethod
    def load(folder: Path, settings: IndexSettings) -> RoleModels:
        """The models of an index."""
        retriever, tokeniser = _load(folder / settings.retriever), open_tokeniser(folder / settings.retriever)
        reads = (settings.max_tokens, settings.tag_tokens)
        if settings.reranker == settings.retriever:
            return RoleModels(retriever, retriever, tokeniser, tokeniser, *reads)
        reranker = _load(folder / settings.reranker)
        return RoleModels(retriever, reranker, tokeniser, open_tokeniser(folder / settings.reranker), *reads)

    def embed_texts(self, captions: Captions) -> Embeddings:
        """Unit vectors (N, D) of captions."""
        tokens = TokenisedCaptions.of(captions, self.retriever_tokeniser, max_tokens=self.max_tokens)
        return encode_captions(self.retriever, tokens, captions.ids)

    def embed_pictures(self, regions: RegionStore) -> Embeddings:
        """Unit vectors (N, D) of pictures; ValueError where the models were trained on other region features."""
        self.require_features(regions)
        return encode_images(self.retriever, self._inputs(regions, self.retriever_tokeniser))

    def _inputs(self, regions: RegionStore, tokeniser: PreTrainedTokenizerBase) -> RegionInputs:
        """The pictures as a model reads them, with their object tags where it was trained with them."""
        if not self.tag_tokens:
            return RegionInputs(regions)
        tags = TokenisedCaptions.of_tags(regions, tokeniser, max_tokens=self.tag_tokens)
        return RegionInputs(regions, tags=tags)

    def require_features(self, regions: RegionStore) -> None:
        for role in ("retriever", "reranker"):
            wanted, found = getattr(self, role).config.feature_size, regions.features.shape[1]
            if wanted != found:
                raise ValueError(
                    f"the {role} reads region features of {wanted} values, these pictures' have {found}; they come of "
                    "another detector. Use regions of the detector that the model was trained with."
                )

    def score(
        self,
        texts: Captions,
        pictures: RegionStore,
        text_rows: NDArray[np.integer],
        picture_rows: NDArray[np.integer],
    ) -> NDArray[np.float32]:
        """Log-odds (P,) that the text at ``text_rows[p]`` is true of the picture at ``picture_rows[p]``."""
        tokens = TokenisedCaptions.of(texts, self.reranker_tokeniser, max_tokens=self.max_tokens)
        captions = captions_for_pairs(self.reranker, tokens)
        images = EmbeddedImages.of(self.reranker, self._inputs(pictures, self.reranker_tokeniser))
        return score_pairs(self.reranker, captions, images, text_rows, picture_rows, quiet=True)


def _load(folder: Path) -> SingleStream:
    model = load_model(folder)
    if not isinstance(model, SingleStream):
        raise ValueError(
            f"the model {folder} is a {type(model).__name__}, which reads pixels; an index keeps regions. "
            "Name a model that reads regions, as those of the embedded default."
        )
    return model
