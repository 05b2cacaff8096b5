"""Published files, composed scenes and your own pictures -> captions and images; one module a dataset.

Each module of this folder is a kind of dataset: its settings, how its splits are prepared, and how large they are. The
rooms hold what several of them use.
"""

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from reranksmart.datasets.prepared.audit import audit_splits
from reranksmart.datasets.prepared.layout import Prepared
from reranksmart.regions.settings import RegionFiles
from reranksmart.values.settings import Frozen, Name


class Dataset(Frozen):
    """The settings of a dataset. A kind subclasses it once, in a module that is called as its ``kind``."""

    kind: str
    splits: dict[Name, Any]

    needs_stamps: ClassVar[bool] = False
    """Whether its pictures are composed of stamps, so that the true place of every object is known."""
    disjoint: ClassVar[bool] = False
    """Whether no two of its splits may share a picture or a caption, which an audit proves before any training."""
    foils: ClassVar[bool] = False
    """Whether its images are twins of which one stands for a caption that is false of the other's picture."""
    about: ClassVar[str] = ""
    """What the report says of such a dataset, where its readers do not know it."""
    terms: ClassVar[str | None] = None
    """The sentence that a user accepts, by the name of the kind, before its files are fetched."""

    if TYPE_CHECKING:

        @property
        def languages(self) -> tuple[str, ...]:
            """The languages of its captions: a key of some kinds, a property of others."""

    @property
    def region_files(self) -> RegionFiles | None:
        """Region features that somebody else made; None: regions are detected in the pictures."""
        return getattr(self, "regions", None)

    @property
    def has_pictures(self) -> bool:
        """Whether there is anything to see but region features."""
        return True

    def prepare(self, split: str, folder: Path, *, name: str, stamps: Path | None = None) -> Prepared:
        """What was prepared, after writing the split's captions and pictures into ``folder``.

        ``name`` is the dataset's in the configuration, ``stamps`` the file of stamps where it needs them. Every place in
        the settings is a path by now. ValueError where a file is missing, broken or not of this dataset.
        """
        raise NotImplementedError

    def audit(self, folders: Mapping[str, Path], *, stamps: Path | None = None) -> dict[str, int]:
        """How much was compared between the prepared splits; ValueError names the first thing that two share."""
        return audit_splits(folders)

    def image_count(self, split: str) -> int:
        """The images of a split, at most, known before any file is there."""
        raise NotImplementedError

    def captions_each(self, language: str) -> int:
        """The captions of an image in a language."""
        return 5

    def has_captions(self, split: str) -> bool:
        return True

    def numbers_captions(self, split: str) -> bool:
        """Whether a split is COCO's test images, read from a file that gives COCO's number of each caption."""
        return False


@cache
def kinds() -> dict[str, type[Dataset]]:
    """The settings of each kind by its name: one subclass of Dataset in every module of this folder."""
    found: dict[str, type[Dataset]] = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.ispkg:
            members = vars(import_module(module_of(module.name))).values()
            own = [
                m
                for m in members
                if isinstance(m, type) and issubclass(m, Dataset) and m.__module__ == module_of(module.name)
            ]
            (found[module.name],) = own
    return found


def terms() -> dict[str, str]:
    """What a user accepts by naming a kind, before its files are fetched."""
    return {name: kind.terms for name, kind in kinds().items() if kind.terms}


def module_of(kind: str) -> str:
    """The module of a kind: what the splits of such a dataset depend on."""
    return f"{__name__}.{kind}"
