"""Any model of the library sentence-transformers that reads texts and pictures.

Its own code prepares inputs and pools: what comes out is what the library's ``encode_query``, ``encode_document``,
``similarity`` and ``predict`` give.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from reranksmart.files.hub import from_hub
from reranksmart.files.library_folder import CLASSES, require_usable
from reranksmart.models.devices import fastest_device
from reranksmart.models.of_family import OfFamily
from reranksmart.models.pictures_alone import pictures_alone
from reranksmart.models.pretrained import require_pairs
from reranksmart.models.shared_prefix import scores_by_prefix
from reranksmart.values.facts import Facts
from reranksmart.values.raw import Pictures, Texts, TokenVectors

FACTS = Facts(sees="pictures", max_tokens=512, opened_by_library=True)
CHECKPOINT = "checkpoint"
"""The folder with the library's files, beside ``model.json``."""


@dataclass(frozen=True)
class LibraryConfig:
    """How a checkpoint is opened and asked; ``None`` leaves it to the checkpoint."""

    family: str
    opened_as: str
    """"retriever", "reranker" or "late_interaction"."""
    trust_remote_code: bool = False
    dtype: str | None = None
    truncate_dim: int | None = None
    """Of an embedding, its first values, for models trained so (Matryoshka)."""
    query_prompt: str | None = None
    """Said before a caption; of a reranker, before each pair."""
    document_prompt: str | None = None
    """Said before a picture."""
    picture_is: str = "document"
    """Of a reranker's pair the "document", as for captions that ask, or the "query"."""
    pixels: tuple[int, int] | None = None
    """The fewest and most pixels to which a picture is scaled."""


class LibraryModel(OfFamily, nn.Module):
    """A model of the library, opened for one role. Make one by ``load``."""

    facts: ClassVar[Facts] = FACTS

    def __init__(self, config: LibraryConfig, library: Any) -> None:
        super().__init__()
        self.config, self.library = config, library

    @staticmethod
    def load(settings: dict[str, Any], folder: Path) -> "LibraryModel":
        """The model in ``folder`` with these settings, of the class of its role.

        Raises as ``require_usable``, and ValueError where the library is missing or cannot open the checkpoint.
        """
        try:
            config = LibraryConfig(**settings)
        except TypeError as error:
            raise ValueError(f"{folder / 'model.json'}: {error}. Convert the checkpoint again.") from error
        return _ROLES[config.opened_as](config, _opened(folder / CHECKPOINT, config))

    @property
    def device(self) -> torch.device:
        return cast(torch.device, self.library.device)


class LibraryRetriever(LibraryModel):
    """A ``SentenceTransformer``: a bi-encoder."""

    def encode_text(self, texts: Texts) -> Tensor:
        """Unit rows (B, D)."""
        return self._encode(
            self.library.encode_query, [{"text": text} for text in texts.texts], self.config.query_prompt
        )

    def encode_image(self, images: Pictures) -> Tensor:
        """Unit rows (B, D)."""
        asked = [{"image": picture} for picture in images.pictures]
        return self._encode(self.library.encode_document, asked, self.config.document_prompt)

    def _encode(self, encode: Any, inputs: list[dict[str, Any]], prompt: str | None) -> Tensor:
        told = {} if prompt is None else {"prompt": prompt}
        found = encode(inputs, batch_size=len(inputs), convert_to_tensor=True, show_progress_bar=False, **told)
        return normalize(found.float(), dim=-1)


class LibraryReranker(LibraryModel):
    """A ``CrossEncoder``. Where pairs begin with the picture, it is read once for all captions beside it in a batch."""

    _reads_once: bool | None = None
    """Whether that gives the library's own scores; found at the first such batch."""

    _TOLERANCE: ClassVar = {torch.float32: 1e-4, torch.bfloat16: 5e-2, torch.float16: 5e-3}

    @property
    def image_major(self) -> bool:
        return self.config.picture_is == "query"

    def score_pairs(self, texts: Texts, images: Pictures) -> Tensor:
        """What its last layer gives (B,) for text i and picture i: log-odds, of models trained on yes or no."""
        require_pairs(texts, images)
        pairs: list[Any] = [
            ({"text": text}, {"image": picture}) for text, picture in zip(texts.texts, images.pictures, strict=True)
        ]
        if self.config.picture_is == "query":
            pairs = [(picture, text) for text, picture in pairs]
        if self._reads_once is False or not self.image_major or len(pairs) < 2 or len(set(images.rows)) > 1:
            return self._apart(pairs)
        found = scores_by_prefix(self.library, pairs, self.config.query_prompt)
        if found is not None and self._reads_once is None:
            alone = self._apart(pairs[:1])
            found = found if torch.allclose(found[:1], alone, atol=self._TOLERANCE[self.library.dtype]) else None
        self._reads_once = found is not None
        return self._apart(pairs) if found is None else found

    def _apart(self, pairs: list[Any]) -> Tensor:
        """Each pair by itself."""
        told = {} if self.config.query_prompt is None else {"prompt": self.config.query_prompt}
        found = self.library.predict(
            pairs,
            batch_size=len(pairs),
            activation_fn=nn.Identity(),
            convert_to_tensor=True,
            show_progress_bar=False,
            **told,
        )
        if found.ndim != 1:
            raise ValueError(
                f"the checkpoint gives {found.shape[1]} values for a pair, but a reranker gives one. Name another checkpoint."
            )
        return found.float()


class LibraryLateInteraction(LibraryModel):
    """A ``MultiVectorEncoder``: a vector for each token, pairs scored by the sum over a text's tokens of the largest
    inner product with a picture's (ColBERT's late interaction). Pictures and captions are encoded once each."""

    def text_vectors(self, texts: Texts) -> TokenVectors:
        """The vectors (B, T, D) of texts."""
        return self._vectors(
            self.library.encode_query, [{"text": text} for text in texts.texts], self.config.query_prompt
        )

    def image_vectors(self, images: Pictures) -> TokenVectors:
        """The vectors (B, S, D) of pictures."""
        asked = [{"image": picture} for picture in images.pictures]
        return self._vectors(self.library.encode_document, asked, self.config.document_prompt)

    def score_pairs(self, texts: Texts | TokenVectors, images: Pictures | TokenVectors) -> Tensor:
        """The similarity (B,) float32 of text i and picture i."""
        require_pairs(texts, images)
        words = self.text_vectors(texts) if isinstance(texts, Texts) else texts
        seen = self.image_vectors(images) if isinstance(images, Pictures) else images
        products = torch.einsum("btd,bsd->bts", words.vectors.float(), seen.vectors.float())
        best = products.masked_fill(~seen.mask[:, None], -torch.inf).amax(dim=2)  # (B, T)
        return best.masked_fill(~words.mask, 0).sum(dim=1)

    def _vectors(self, encode: Any, inputs: list[dict[str, Any]], prompt: str | None) -> TokenVectors:
        told = {} if prompt is None else {"prompt": prompt}
        found = encode(inputs, batch_size=len(inputs), show_progress_bar=False, **told)
        return TokenVectors.of([torch.as_tensor(one, device=self.device) for one in found])


_ROLES: dict[str, type[LibraryModel]] = {
    "retriever": LibraryRetriever,
    "reranker": LibraryReranker,
    "late_interaction": LibraryLateInteraction,
}


def _opened(folder: Path, config: LibraryConfig) -> Any:
    """The library's model in ``folder``; no hub is asked."""
    require_usable(folder, opened_as=config.opened_as, trust_remote_code=config.trust_remote_code)
    try:
        import sentence_transformers as library  # takes ten seconds, which only this family needs
    except ImportError as error:
        raise ValueError(
            f"family sentence_transformers needs the library of this name ({error}). Install it: "
            "pip install 'reranksmart[vlm]'"
        ) from error
    options: dict[str, Any] = {"trust_remote_code": config.trust_remote_code, "local_files_only": True}
    if config.dtype:
        options["model_kwargs"] = {"dtype": getattr(torch, config.dtype)}
    if config.pixels:
        options["processor_kwargs"] = {"size": {"shortest_edge": config.pixels[0], "longest_edge": config.pixels[1]}}
    if config.opened_as == "retriever" and config.truncate_dim:
        options["truncate_dim"] = config.truncate_dim
    with from_hub(str(folder), local_files_only=True), pictures_alone():
        model = getattr(library, CLASSES[config.opened_as])(str(folder), device=str(fastest_device()), **options)
        if "image" not in model.modalities or "text" not in model.modalities:
            raise ValueError(f"it reads {list(model.modalities)}, but texts and pictures are needed")
    return model.eval()
