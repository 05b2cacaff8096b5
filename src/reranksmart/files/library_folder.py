"""What a folder of sentence-transformers says of its model, read from its JSON files before any of it is loaded."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from reranksmart.files.checkpoint_folder import require_checkpoint

CLASSES = {"retriever": "SentenceTransformer", "reranker": "CrossEncoder", "late_interaction": "MultiVectorEncoder"}
"""The library's class of each role that a model can be opened for."""
_SCORING = ("ForSequenceClassification", "ForCausalLM")
_ROLES = {name: role for role, name in CLASSES.items()}


def require_usable(folder: Path, *, opened_as: str, trust_remote_code: bool) -> None:
    """ValueError with what to do where the model in ``folder`` cannot be opened so: it is of another
    class, runs code of its own, reads texts alone, or its tokeniser does not belong to its weights."""
    require_checkpoint(folder, either=("modules.json", "config.json"))
    if (own := _remote_code(folder)) and not trust_remote_code:
        raise ValueError(
            f"{folder} runs code of its own ({', '.join(own[:3])}), which can do whatever you can on this machine. Read it, "
            "then set trust_remote_code to true, or choose another checkpoint."
        )
    found = library_class(folder)
    if found is not None and found != CLASSES[opened_as]:
        raise ValueError(
            f"{folder} holds a {found}, which is no {opened_as.replace('_', ' ')}; set opened_as to "
            f"{_ROLES.get(found, 'what it is')}, or name another checkpoint."
        )
    plain = next(iter(_settings(folder / "config.json").get("architectures") or [""]))
    if opened_as == "reranker" and not (own or _modules(folder) or plain.endswith(_SCORING)):
        raise ValueError(
            f"{folder} holds a plain {plain or 'model'}, which has no layer that scores pairs. Name a reranker, whose "
            "modules.json lists that layer; a chat model can be trained to be one by family vision_language."
        )
    if not _reads_pictures(folder):
        raise ValueError(
            f"{folder} reads texts alone: it has no image processor (preprocessor_config.json or processor_config.json). "
            "Name a checkpoint that reads pictures too."
        )
    _require_tokeniser(folder)


def library_class(folder: Path) -> str | None:
    """The library's class that a folder was saved from; None where it does not say."""
    if named := _settings(folder / "config_sentence_transformers.json").get("model_type"):
        return str(named)
    types = [module.get("type", "") for module in _modules(folder)]
    for part, name in ((".cross_encoder.", "CrossEncoder"), (".multi_vector_encoder.", "MultiVectorEncoder")):
        if any(part in kind for kind in types):
            return name
    if types:
        return "SentenceTransformer"
    architecture = next(iter(_settings(folder / "config.json").get("architectures") or [""]))
    if architecture.startswith("Col") and architecture.endswith("ForRetrieval"):
        return "MultiVectorEncoder"
    return "CrossEncoder" if architecture.endswith("ForSequenceClassification") else None


def _remote_code(folder: Path) -> list[str]:
    """The classes that a folder brings along: modules outside the library, and a model that transformers lacks."""
    kinds = [module.get("type", "") for module in _modules(folder)]
    own = [kind for kind in kinds if not kind.startswith("sentence_transformers.")]
    for path in _json_files(folder):
        settings = _settings(path)
        if (
            path.name == "config.json"
            and "model_type" in settings
            and not _known_to_transformers(settings["model_type"])
        ):
            own += [str(value) for value in settings.get("auto_map", {}).values()]
    return own


def _known_to_transformers(model_type: str) -> bool:
    """Whether transformers has this kind of model, told by its folders: importing it takes seconds."""
    found = find_spec("transformers")
    places = found.submodule_search_locations if found else None
    return any((Path(place) / "models" / model_type.replace("-", "_")).is_dir() for place in places or ())


def _reads_pictures(folder: Path) -> bool:
    for path in _json_files(folder):
        if path.name == "preprocessor_config.json":
            return True
        if path.name == "processor_config.json" and "image_processor" in _settings(path):
            return True
    return False


def _require_tokeniser(folder: Path) -> None:
    """ValueError where a tokeniser gives ids that the weights have no entry for, or lacks the token of a picture."""
    path = next((path for path in _json_files(folder) if path.name == "tokenizer.json"), None)
    if path is None:
        return
    config = _settings(path.with_name("config.json"))
    tokeniser = _settings(path)
    added = {token["content"]: token["id"] for token in tokeniser.get("added_tokens", [])}
    vocabulary = tokeniser.get("model", {}).get("vocab", {})
    count = len(vocabulary) if isinstance(vocabulary, list) else 1 + max(vocabulary.values(), default=-1)
    largest = max([count - 1, *added.values()])
    sizes = list(_values(config, "vocab_size"))
    if sizes and largest >= max(sizes):
        raise ValueError(
            f"the tokeniser in {folder} gives ids up to {largest}, but the weights have {max(sizes)} entries: it is not "
            "theirs. Put the tokeniser of this checkpoint beside them."
        )
    for key in ("image_token_id", "image_token_index"):
        for token in _values(config, key):
            if added and token not in added.values():
                raise ValueError(
                    f"{folder}: the weights read token {token} as a picture ({key}), but the tokeniser has no such special "
                    "token: it is not theirs. Put the tokeniser of this checkpoint beside them."
                )


def _values(settings: Any, key: str) -> Iterator[int]:
    """The whole numbers that stand under a key, at any depth."""
    if isinstance(settings, dict):
        for name, value in settings.items():
            if name == key and isinstance(value, int):
                yield value
            yield from _values(value, key)


def _modules(folder: Path) -> list[dict[str, Any]]:
    modules = _read(folder / "modules.json")
    return modules if isinstance(modules, list) else []


def _json_files(folder: Path) -> list[Path]:
    return [*sorted(folder.glob("*.json")), *sorted(folder.glob("*/*.json"))]


def _settings(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is no file, or another value in it."""
    value = _read(path)
    return value if isinstance(value, dict) else {}


def _read(path: Path) -> Any:
    """The content of a JSON file; {} where there is no file."""
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON ({error}); restore it from where the checkpoint came from.") from error
