"""The names of published tensors and ours.

A published tensor is either renamed to one of ours or known to be unused (``names_of`` and ``unused`` of its family);
anything else keeps its name, and is so reported as unexpected.
"""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from reranksmart.models.single_stream import SingleStream

_LINEAR_HEAD = [("classifier.", "head.1.")]
_MLP_HEAD = [("classifier.0.", "head.1."), ("classifier.2.", "head.3.")]


def our_names(published: dict[str, Tensor], model: SingleStream) -> dict[str, Tensor]:
    """The tensors that are used, under our names."""
    prefixes = [*model.names_of(model.config.layers), *(_MLP_HEAD if model.config.head_widths else _LINEAR_HEAD)]
    used = [name for name in published if not name.startswith(model.unused)]
    return {_renamed(name, prefixes): published[name] for name in used}


def published_parameters(model: SingleStream) -> Iterator[tuple[str, nn.Parameter]]:
    """Each parameter with its published name, those of the head with ours."""
    prefixes = [(ours, theirs) for theirs, ours in model.names_of(model.config.layers)]
    for name, parameter in model.named_parameters():
        yield _renamed(name, prefixes), parameter


def _renamed(name: str, prefixes: Sequence[tuple[str, str]]) -> str:
    """The name with its prefix exchanged; unchanged, and so unexpected, where no prefix fits."""
    for old, new in prefixes:
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name
