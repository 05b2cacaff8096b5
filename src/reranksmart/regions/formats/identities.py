"""The images that a split wants, under every name that published files give them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_COCO = re.compile(r"coco/[0-9]+")  # pictures of one's own may stand in a dataset of that name too
_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class PublishedNames:
    """``wanted`` image ids, and the id of each published name of theirs."""

    wanted: frozenset[str]
    id_by_name: Mapping[str, str]

    @staticmethod
    def of(image_ids: Iterable[str]) -> "PublishedNames":
        """COCO's images go by their number, bare or with zeros, and by their file name; others by their own name.

        A bare number of COCO's that another wanted image has as its name is that one's.
        """
        wanted = frozenset(image_ids)
        others = {image_id for image_id in wanted if not _COCO.fullmatch(image_id)}
        id_by_name = {name: image_id for image_id in sorted(wanted - others) for name in _names_of_coco(image_id)}
        id_by_name |= {_stem(image_id.split("/", 1)[1]): image_id for image_id in sorted(others)}
        id_by_name |= {image_id.split("/", 1)[1]: image_id for image_id in sorted(others)}
        return PublishedNames(wanted, id_by_name)

    def image_id(self, published: str) -> str:
        """The id of a wanted image, whose name may stand below a folder or end in .jpg; others keep their name."""
        for name in (published, _stem(published), _stem(PurePosixPath(published).name)):
            if name in self.id_by_name:
                return self.id_by_name[name]
        return f"unknown/{published}"


def _names_of_coco(image_id: str) -> list[str]:
    number = int(image_id.split("/", 1)[1])
    return [str(number), f"{number:012}", *(f"COCO_{part}2014_{number:012}" for part in ("train", "val", "test"))]


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in _ENDINGS else name
