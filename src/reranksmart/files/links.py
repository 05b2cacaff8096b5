"""Folders with the files of others: linked where nobody writes over them in place, else copied."""

import os
import shutil
from pathlib import Path

_HIDDEN = shutil.ignore_patterns(".*")


def link_folder(source: Path, target: Path) -> None:
    """A folder with the files of ``source``, those that are linked there too: hard links where the file system has
    them, else copies. Hidden files stay behind."""
    shutil.copytree(source, target, copy_function=_link, ignore=_HIDDEN, dirs_exist_ok=True)


def copy_folder(source: Path, target: Path) -> None:
    """The same with copies: what others write over in place would change through a link."""
    shutil.copytree(source, target, ignore=_HIDDEN, dirs_exist_ok=True)


_READERS = (
    "*processor_config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*.model",
    "*tokens*.json",
    "chat_template*",
)


def copy_readers(source: Path, target: Path) -> None:
    """Into ``target`` what in ``source`` says how texts and pictures are read: not the weights, nor whence they are."""
    for path in sorted({path for pattern in (*_READERS, "config.json") for path in source.glob(pattern)}):
        shutil.copy2(path, target / path.name)


def _link(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)
