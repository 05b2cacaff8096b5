"""A checkpoint of sentence-transformers as a model's folder: its files beside what it is opened with."""

import dataclasses
import re
from pathlib import Path
from typing import Any

from reranksmart.families.sentence_transformers import CHECKPOINT, LibraryConfig
from reranksmart.files.checkpoint_folder import checkpoints_below
from reranksmart.files.hub import checkpoint_folder
from reranksmart.files.library_folder import CLASSES, library_class, require_usable
from reranksmart.files.links import copy_folder, link_folder
from reranksmart.files.storage import write_json
from reranksmart.models.checkpoints import CONFIG_FILE

_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


def is_published(source: Path | str) -> bool:
    """Whether this is a folder that sentence-transformers opens, one above it, or could be a name on the hub."""
    folder = Path(source)
    if folder.is_dir():
        own = any((folder / name).is_file() for name in ("modules.json", "config.json"))
        return own or bool(checkpoints_below(folder))
    return not folder.exists() and not isinstance(source, Path) and _HUB_NAME.fullmatch(source) is not None


def place_library_model(
    source: str, target: Path, *, local_files_only: bool, settings: dict[str, Any]
) -> dict[str, Any]:
    """Writes the model of a folder or of a name on the hub into ``target``, as ``load_model`` reads it; where it is from.

    A folder of one's own is copied, as its owner may write over it; files in the hub's cache are linked.

    ``settings`` are those of ``LibraryConfig``. Raises as ``require_usable``, and FileNotFoundError where the checkpoint
    cannot be had.
    """
    folder = checkpoint_folder(source, local_files_only=local_files_only)
    if settings["opened_as"] == "reranker" and library_class(folder) == CLASSES["late_interaction"]:
        settings = {**settings, "opened_as": "late_interaction"}
    config = LibraryConfig(family="sentence_transformers", **settings)
    require_usable(folder, opened_as=config.opened_as, trust_remote_code=config.trust_remote_code)
    (copy_folder if Path(source).is_dir() else link_folder)(folder, target / CHECKPOINT)
    write_json(target / CONFIG_FILE, dataclasses.asdict(config))
    return {"source": source, "has_head": True}
