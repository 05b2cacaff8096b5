"""How much a checkpoint on the hub is to fetch, as far as this machine knows without asking it."""

import json
import re
from contextlib import suppress
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from reranksmart.files.checkpoint_folder import INDEX_OF_PARTS

_IN_NAME = re.compile(r"[-_](\d+(?:\.\d+)?)([bm])(?![a-z0-9])", re.IGNORECASE)
_LETTERS = {"b": 1e9, "m": 1e6}


def download_size(source: str) -> str:
    """In words, and whence it is known: of what the hub's cache has of ``source``, the index of the weights' parts or
    ``config.json``; else its name."""
    with suppress(Exception):  # a broken file tells no size
        if index := _cached(source, INDEX_OF_PARTS):
            return f"{_gigabytes(json.loads(index.read_text())['metadata']['total_size'])} of weights by its {INDEX_OF_PARTS}"
    with suppress(Exception):  # likewise, and a network that transformers does not know
        if config := _cached(source, "config.json"):
            return f"about {_gigabytes(_bytes_of_network(config.parent))} of weights by its config.json"
    if named := _IN_NAME.search(source):
        weights = float(named[1]) * _LETTERS[named[2].lower()]
        return f"about {_gigabytes(2 * weights)} if its {named[1]}{named[2]} weights by name have two bytes each"
    return "of a size that is not known here; --dry-run tells it"


def _cached(source: str, name: str) -> Path | None:
    found = try_to_load_from_cache(source, name)
    return Path(found) if isinstance(found, str) else None


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def _bytes_of_network(folder: Path) -> int:
    """Of the weights of the network that ``config.json`` describes, none of which is made."""
    import torch  # takes seconds, which only this needs
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    with torch.device("meta"):
        network = getattr(transformers, config.architectures[0])._from_config(config)
    return sum(parameter.numel() * parameter.element_size() for parameter in network.parameters())
