"""Published weights: read without running code, and the strict check that every tensor of a file has its place."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from reranksmart.files.reading import reading, require_whole_archive

_SHOWN = 5


def read_pickled(path: Path, *, remedy: str) -> dict:
    """The dict that ``torch.save`` wrote, of plain values and tensors; ValueError where it is another, or holds code, which is
    never run."""
    with reading(path, remedy=f"Code in such a file is never run. {remedy}"):
        require_whole_archive(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(content, dict):
            raise ValueError(f"it holds a {type(content).__name__}, not a dict")
        return content


def read_pickled_tensors(path: Path) -> dict:
    """The tensors of published weights by name, as ``read_pickled``."""
    again = "Download the published weights or name their path; of other objects save the dict of tensors alone."
    return read_pickled(path, remedy=again)


def fill(model: nn.Module, tensors: Mapping[str, Tensor], *, source: Path) -> None:
    """Copies tensors into the model by name; ValueError if one is missing, left over, or of another shape."""
    require_shapes(tensors, model.state_dict(), source=source, kind=type(model).__name__)
    model.load_state_dict(dict(tensors))


def require_shapes(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor], *, source: Path, kind: str) -> None:
    """ValueError that names the first tensors which are not the wanted ones: by name, then by shape."""
    problems = {
        "missing": sorted(set(wanted) - set(tensors)),
        "unexpected": sorted(set(tensors) - set(wanted)),
        "of another shape": [
            f"{name} {tuple(tensors[name].shape)} instead of {tuple(wanted[name].shape)}"
            for name in sorted(set(wanted) & set(tensors))
            if tensors[name].shape != wanted[name].shape
        ],
    }
    told = [f"{len(found)} tensors {what}: {_first(found)}" for what, found in problems.items() if found]
    if told:
        raise ValueError(f"{source} does not fit a {kind}: {'; '.join(told)}. Check that it is the right file.")


def _first(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
