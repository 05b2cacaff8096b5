"""Published weights: read without running code, and the strict check that every tensor of a file has its place."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from reranksmart.files.reading import require_fetched, require_whole_archive, said


def read_pickled_tensors(path: Path) -> dict:
    """What ``torch.save`` wrote, read without running any code in it; ValueError where that is not possible."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; download the published weights or name their path.")
    require_fetched(path)
    try:
        require_whole_archive(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises anything from EOFError to UnpicklingError on damaged files
        raise ValueError(
            f"{path} cannot be read as plain tensors ({said(error)}). It is damaged, or "
            "holds other objects: save its dict of tensors alone from an environment that you trust it in."
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"{path} holds a {type(content).__name__}, not a dict of named tensors; give the file of its weights."
        )
    return content


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


def _first(names: list[str], count: int = 5) -> str:
    rest = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + rest
