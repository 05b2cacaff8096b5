"""What a folder named as a checkpoint is where it is none: told by the names of its files, with the one that would do."""

import json
from collections.abc import Sequence
from pathlib import Path

from reranksmart.files.reading import require_fetched

INDEX_OF_PARTS = "model.safetensors.index.json"
_SHOWN = 5


def require_checkpoint(folder: Path, *, either: Sequence[str] = ("config.json",)) -> None:
    """ValueError where ``folder`` is not one checkpoint, with ``either`` of these files and weights that were fetched."""
    if folder.is_file():
        raise ValueError(f"{folder} is a file; name the folder that holds it with config.json beside it.")
    require_fetched(folder)
    adapter = folder / "adapter_config.json"
    if adapter.is_file() and not _has_weights(folder):
        raise ValueError(
            f"{folder} holds an adapter alone, to be added to {_base_of(adapter)}: load both with peft, join them by "
            "merge_and_unload(), and name the folder to which save_pretrained() writes the whole model."
        )
    if any((folder / name).is_file() for name in either):
        return
    if (folder / "open_clip_config.json").is_file() or list(folder.glob("open_clip_*")):
        raise ValueError(
            f"{folder} holds a model in open_clip's format, config.json is missing: use the repository's files of "
            "transformers (config.json, model.safetensors), or a checkpoint of the same model that has them."
        )
    inside = checkpoints_below(folder)
    what = (
        "is a hub's cache" if any("snapshots" in path.parts for path in inside) else "holds a checkpoint further down"
    )
    if inside:
        raise ValueError(f"{folder} {what}, no checkpoint itself: name {' or '.join(map(str, inside[:_SHOWN]))}.")
    found = sorted(path.name for path in folder.iterdir())
    listed = f"holds {', '.join(found[:_SHOWN])}{', ...' if len(found) > _SHOWN else ''}" if found else "is empty"
    raise ValueError(
        f"{folder} {listed}, but {' or '.join(either)} is missing: a checkpoint is a folder with config.json, "
        "its weights (model.safetensors), its tokeniser and preprocessor_config.json. Name such a folder."
    )


def missing_weights(folder: Path) -> list[str]:
    """The files of weights that a checkpoint lacks: parts that its index names, or all of it."""
    index = folder / INDEX_OF_PARTS
    if index.is_file():
        parts = {*json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()}
        return sorted(name for name in parts if not (folder / name).is_file())
    return [] if any(list(folder.rglob(kind)) for kind in ("*.safetensors", "*.bin")) else ["model.safetensors"]


def _has_weights(folder: Path) -> bool:
    return any(not path.name.startswith("adapter") for kind in ("*.safetensors", "*.bin") for path in folder.glob(kind))


def _base_of(adapter: Path) -> str:
    try:
        return str(json.loads(adapter.read_text(encoding="utf-8"))["base_model_name_or_path"])
    except (ValueError, OSError, KeyError, TypeError, RecursionError):
        return "a base model that its adapter_config.json does not name"


def checkpoints_below(folder: Path) -> list[Path]:
    """The folders below in which a checkpoint lies: a cache's snapshots, the newest first, or a part of the folder."""
    places = [*folder.glob("snapshots/*"), *folder.glob("models--*/snapshots/*"), *folder.glob("*")]
    there = [path for path in places if (path / "config.json").is_file()]
    return sorted(there, key=lambda path: path.stat().st_mtime, reverse=True)
