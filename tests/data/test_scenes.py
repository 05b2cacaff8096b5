"""Layouts: inside, apart, sized, and a function of their place alone."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from reranksmart.datasets.composed.scenes import (
    SIDE,
    SIZES,
    compose_scene,
    generator,
    object_boxes,
    read_scenes,
    turned,
    write_scenes,
)
from reranksmart.datasets.composed.stamps import Stamp


def scenes_of(stamps: list[Stamp], count: int = 60):
    return [compose_scene(f"s/{n}", stamps, generator(3, "dev", n, "layout")) for n in range(count)]


def test_objects_lie_inside_and_apart(toy_stamps: list[Stamp]) -> None:
    for scene in scenes_of(toy_stamps):
        assert 2 <= len(scene.objects) <= 5
        assert len({item.stamp_id for item in scene.objects}) == len(scene.objects)
        for x1, y1, x2, y2 in (item.box for item in scene.objects):
            assert 0 < x1 < x2 < 1
            assert 0 < y1 < y2 < 1
        for one, other in combinations((item.box for item in scene.objects), 2):
            across = min(one[2], other[2]) - max(one[0], other[0])
            down = min(one[3], other[3]) - max(one[1], other[1])
            assert across < 0 or down < 0


def test_sizes_are_told_apart_by_area(toy_stamps: list[Stamp]) -> None:
    sides: dict[str, list[float]] = {size: [] for size in SIZES}
    for scene in scenes_of(toy_stamps):
        for item in scene.objects:
            x1, y1, x2, y2 = item.box
            sides[item.size].append(SIDE * ((x2 - x1) * (y2 - y1)) ** 0.5)
    assert max(sides["small"]) * 1.2 < min(sides["medium"])
    assert max(sides["medium"]) * 1.2 < min(sides["large"])


def test_turning_reverses_every_direction_and_twice_is_the_identity(toy_stamps: list[Stamp]) -> None:
    for scene in scenes_of(toy_stamps):
        other = turned(scene, "t")
        centres, opposite = (np.array([item.centre for item in one.objects]) for one in (scene, other))
        np.testing.assert_allclose(opposite, 1 - centres)
        assert turned(other, scene.image_id) == scene


def test_scenes_come_back_as_written(tmp_path: Path, toy_stamps: list[Stamp]) -> None:
    scenes = scenes_of(toy_stamps, 5)
    write_scenes(tmp_path / "scenes.jsonl", scenes)
    assert read_scenes(tmp_path / "scenes.jsonl") == scenes
    assert object_boxes(scenes)["s/4"].tolist() == [list(item.box) for item in scenes[4].objects]


def test_too_few_stamps_are_refused(toy_stamps: list[Stamp]) -> None:
    with pytest.raises(ValueError, match="needs 5 stamps"):
        compose_scene("s", toy_stamps[:4], np.random.default_rng(0))
