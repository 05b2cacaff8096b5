"""Published single-stream models: their files read strictly, and small models written in the same layouts."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from reranksmart.files.weights import fill
from reranksmart.models.checkpoints import read_settings
from reranksmart.models.published_files import tensors_of
from reranksmart.models.published_names import our_names, published_parameters
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig

_PART = re.compile(r"0_[A-Z0-9]+")


@dataclass(frozen=True)
class PublishedModel:
    """A published model as its file has it: family, sizes and constants, tensors by published name, and the file."""

    family: type[SingleStream]
    config: SingleStreamConfig
    tensors: dict[str, Tensor]
    source: Path

    @property
    def has_head(self) -> bool:
        return any(name.startswith("classifier.") for name in self.tensors)

    def build(self, *, seed: int) -> SingleStream:
        """The model in evaluation mode, each tensor accounted for; a head that the file lacks is drawn from ``seed``."""
        hidden = self.tensors.get("classifier.0.weight")
        widths = () if hidden is None else (len(hidden),)
        config = replace(self.config, head_widths=widths, head_dropout=self.config.hidden_dropout)
        model = self.family.of_shape(config, source=self.source, seed=seed)
        tensors = our_names(self.tensors, model)
        if not self.has_head:
            tensors |= {f"head.{name}": tensor for name, tensor in model.head.state_dict().items()}
        fill(model, tensors, source=self.source)
        return model.eval()


def load_published(
    family: type[SingleStream], path: Path, *, normalise_inputs: bool = False, seed: int = 0
) -> SingleStream:
    """A published backbone in evaluation mode; a head that the file lacks is drawn from ``seed``."""
    return read_published(family, path, normalise_inputs=normalise_inputs).build(seed=seed)


def read_published(family: type[SingleStream], path: Path, *, normalise_inputs: bool = False) -> PublishedModel:
    """What published files of a family hold, not yet checked against a model.

    ``path`` is the weights file or its folder, as the family's class says; or the folder of a model published with the
    paper: the backbone's (``0_OSCAR``, ``0_M3P``), ``1_ClassificationHead`` and ``2_Pooling``. ``normalise_inputs`` as
    in ``SingleStreamConfig``. Raises FileNotFoundError where a file is missing, and ValueError naming the first tensors
    that are missing, unexpected or of another shape, or where head or pooling are not what this project computes.
    """
    part = joint_part(path)
    if part is None:
        config, tensors, source = family.read_checkpoint(path)
        return PublishedModel(family, replace(config, normalise_inputs=normalise_inputs), tensors, source)
    if part != family.part or normalise_inputs:
        raise ValueError(
            f"{path} holds {part}, trained without normalised inputs; asked was {family.family()}, whose models the paper "
            f"has as {family.part}, with normalise_inputs {normalise_inputs}. Change these settings or the path."
        )
    config, tensors, source = family.read_checkpoint(path / part)
    head = read_settings(path / "1_ClassificationHead" / "sentence_bert_config.json")
    if head.get("input_key") != "pooled_cls_token_embeddings":
        raise ValueError(
            f"{path}: its head reads {head.get('input_key')!r}, not pooled_cls_token_embeddings. Give another model."
        )
    pooling = read_settings(path / "2_Pooling" / "config.json")
    modes = [key for key, value in pooling.items() if key.startswith("pooling_mode_") and value]
    if modes != ["pooling_mode_mean_tokens"]:
        raise ValueError(
            f"{path}: its embeddings are pooled by {modes}, not by pooling_mode_mean_tokens. Give another."
        )
    return PublishedModel(family, config, tensors | tensors_of(path / "1_ClassificationHead" / "class_head.pt"), source)


def joint_part(folder: Path) -> str | None:
    """The backbone's folder in one of the paper's own models; None where this is none."""
    if not folder.is_dir():
        return None
    return next((path.name for path in sorted(folder.iterdir()) if path.is_dir() and _PART.fullmatch(path.name)), None)


def save_published(model: SingleStream, folder: Path) -> None:
    """Writes the backbone, without its head, in the layout that ``load_published`` reads.

    The tokeniser is the caller's to write beside it; the ids of the special tokens are kept here.
    """
    named = ((name, parameter.detach().cpu().clone()) for name, parameter in published_parameters(model))
    model.write_checkpoint(
        model.config, {name: tensor for name, tensor in named if not name.startswith("head.")}, folder
    )
