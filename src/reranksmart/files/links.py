"""Folders with the files of others, without copying them where the file system can link."""

import os
import shutil
from pathlib import Path


def link_folder(source: Path, target: Path) -> None:
    """A folder with the files of ``source``, those that are linked there too: hard links where the file system has
    them, else copies. Hidden files stay behind."""
    shutil.copytree(source, target, copy_function=_link, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)


def _link(source: str, target: str) -> None:
    try:
        os.link(os.path.realpath(source), target)
    except OSError:
        shutil.copy2(source, target)
