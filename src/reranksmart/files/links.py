"""Folders with the files of others, without copying them where the file system can link."""

import os
import shutil
from pathlib import Path


def link_folder(source: Path, target: Path) -> None:
    """A folder with the files of ``source``, those that are linked there too: hard links where the file system has
    them, else copies. Hidden files stay behind."""
    shutil.copytree(source, target, copy_function=_link, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)


_READERS = (
    "*processor_config.json",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "*.model",
    "*tokens*.json",
    "chat_template*",
)


def link_readers(source: Path, target: Path) -> None:
    """Into ``target`` what in ``source`` says how texts and pictures are read: not the weights, nor whence they are."""
    for path in sorted({path for pattern in (*_READERS, "config.json") for path in source.glob(pattern)}):
        _link(str(path), str(target / path.name))


def _link(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)
