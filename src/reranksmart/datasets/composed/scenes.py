"""Scenes: which stamps lie where. Layout only; ``pictures`` draws them."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.datasets.composed.stamps import Stamp
from reranksmart.files.reading import reading
from reranksmart.files.storage import read_jsonl, write_jsonl

SIDE = 416
"""Width and height of a scene in pixels."""

# Square root of an object's box area in pixels; the gaps keep "small" and "large" apart for the eye.
SIZES = {"small": (62, 76), "medium": (100, 118), "large": (152, 176)}
_COUNTS, _COUNT_ODDS = (2, 3, 4, 5), (0.25, 0.30, 0.25, 0.20)
_FULLEST = 0.42  # of the area; beyond it layouts are seldom found
_GAP = 4  # pixels between two boxes, and to the border


@dataclass(frozen=True)
class SceneObject:
    """A stamp in a scene: its box as x1 y1 x2 y2 in [0, 1] and its size: small, medium or large."""

    stamp_id: str
    box: tuple[float, float, float, float]
    size: str

    @property
    def centre(self) -> tuple[float, float]:
        x1, y1, x2, y2 = self.box
        return (x1 + x2) / 2, (y1 + y2) / 2


@dataclass(frozen=True)
class Scene:
    image_id: str
    objects: tuple[SceneObject, ...]


def scene_id(split: str, index: int) -> str:
    return f"scenes/{split}-{index:05d}"


def generator(seed: int, split: str, index: int, purpose: str) -> np.random.Generator:
    """The random numbers for one purpose at one place, whatever else is made and in whatever order."""
    return np.random.default_rng([seed, zlib.crc32(split.encode()), index, zlib.crc32(purpose.encode())])


def compose_scene(image_id: str, stamps: Sequence[Stamp], rng: np.random.Generator) -> Scene:
    """Two to five different stamps that do not overlap, each fully inside."""
    if len(stamps) < max(_COUNTS):
        raise ValueError(f"a scene needs {max(_COUNTS)} stamps to choose from, got {len(stamps)}; hold out fewer.")
    while True:
        count = int(rng.choice(_COUNTS, p=_COUNT_ODDS))
        chosen = [stamps[row] for row in rng.choice(len(stamps), size=count, replace=False)]
        names = [list(SIZES)[row] for row in rng.integers(len(SIZES), size=count)]
        boxes = _place(
            [_extent(stamp, rng.uniform(*SIZES[name])) for stamp, name in zip(chosen, names, strict=True)], rng
        )
        if boxes is not None:
            parts = zip(chosen, boxes, names, strict=True)
            return Scene(image_id, tuple(SceneObject(stamp.id, _in_unit(box), name) for stamp, box, name in parts))


def turned(scene: Scene, image_id: str) -> Scene:
    """The same objects at the places opposite the centre: whatever was left is right, whatever was above is below."""
    objects = []
    for item in scene.objects:
        x1, y1, x2, y2 = (round(value * SIDE) for value in item.box)
        objects.append(SceneObject(item.stamp_id, _in_unit((SIDE - x2, SIDE - y2, SIDE - x1, SIDE - y1)), item.size))
    return Scene(image_id, tuple(objects))


def _in_unit(box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box
    return x1 / SIDE, y1 / SIDE, x2 / SIDE, y2 / SIDE


def _extent(stamp: Stamp, size: float) -> tuple[int, int]:
    """Width and height in pixels of the stamp at a size, in its own proportions."""
    proportion = (stamp.width / stamp.height) ** 0.5
    return max(1, round(size * proportion)), max(1, round(size / proportion))


def _place(extents: Sequence[tuple[int, int]], rng: np.random.Generator) -> list[tuple[int, int, int, int]] | None:
    """Boxes of these extents that keep a gap, or None where some 40 draws found no room for one."""
    if sum(width * height for width, height in extents) > _FULLEST * SIDE * SIDE:
        return None
    boxes: list[tuple[int, int, int, int]] = []
    for width, height in extents:
        if max(width, height) > SIDE - 2 * _GAP:
            return None
        lefts = rng.integers(_GAP, SIDE - _GAP - width + 1, size=40)
        tops = rng.integers(_GAP, SIDE - _GAP - height + 1, size=40)
        for left, top in zip(lefts.tolist(), tops.tolist(), strict=True):
            box = (left, top, left + width, top + height)
            if not any(_touch(box, other) for other in boxes):
                boxes.append(box)
                break
        else:
            return None
    return boxes


def _touch(box: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    apart = (
        box[2] + _GAP <= other[0] or other[2] + _GAP <= box[0] or box[3] + _GAP <= other[1] or other[3] + _GAP <= box[1]
    )
    return not apart


def write_scenes(path: Path, scenes: Iterable[Scene]) -> None:
    write_jsonl(path, (_row(scene) for scene in scenes))


def _row(scene: Scene) -> dict[str, Any]:
    objects = [{"stamp_id": item.stamp_id, "box": list(item.box), "size": item.size} for item in scene.objects]
    return {"image_id": scene.image_id, "objects": objects}


def read_scenes(path: Path) -> list[Scene]:
    """The scenes in a file of ``write_scenes``; ValueError with the line that is none."""
    scenes = []
    for line, row in enumerate(read_jsonl(path), start=1):
        with reading(path, remedy=f"See line {line}; delete the split's folder to have it made again."):
            scenes.append(Scene(_text(row["image_id"]), tuple(_object(item) for item in row["objects"])))
    return scenes


def _object(item: dict[str, Any]) -> SceneObject:
    box = tuple(item["box"])
    if len(box) != 4 or not all(isinstance(side, float | int) and 0 <= side <= 1 for side in box):
        raise ValueError(f"box {item['box']} is not x1 y1 x2 y2 in [0, 1]")
    if item["size"] not in SIZES:
        raise ValueError(f"size {item['size']!r} is not among {list(SIZES)}")
    return SceneObject(_text(item["stamp_id"]), box, item["size"])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not an id")
    return value


def object_boxes(scenes: Iterable[Scene]) -> dict[str, NDArray[np.float64]]:
    """The boxes (N, 4) of each image's objects, x1 y1 x2 y2 in [0, 1]."""
    return {scene.image_id: np.array([item.box for item in scene.objects]) for scene in scenes}
