"""Pictures become regions: all of them, the same in any shard, on the true objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torch import nn

from reranksmart.datasets.composed.scenes import object_boxes, read_scenes
from reranksmart.datasets.composed.splits import write_split
from reranksmart.datasets.composed.stamps import select_stamps
from reranksmart.datasets.prepared.layout import picture_path
from reranksmart.files.region_store import Regions, RegionStore
from reranksmart.regions.detectors import detection
from reranksmart.regions.detectors.detection import detect_regions, find_regions, object_recall


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path]]:
    """A plain picture between two with things in them."""
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(0)
    images = []
    for name, things in (("one", 1), ("plain", 0), ("two", 2)):
        picture = np.full((120, 160, 3), 190, dtype=np.uint8)
        for thing in range(things):
            left = 15 + 70 * thing
            picture[30:90, left : left + 50] = (
                rng.integers(0, 120, size=(6, 5, 3)).repeat(10, axis=0).repeat(10, axis=1)
            )
        Image.fromarray(picture).save(folder / f"{name}.png")
        images.append((f"own/{name}", folder / f"{name}.png"))
    return images


def test_a_picture_in_which_nothing_is_found_is_its_own_region(
    network: nn.Module, photographs: list[tuple[str, Path]]
) -> None:
    store = detect_regions(photographs, network=network)
    assert store.image_ids == ("own/one", "own/plain", "own/two")
    assert store[1].boxes.tolist() == [[0, 0, 1, 1]]
    assert store.feature_size == 1280
    assert store.features.dtype == np.float16
    assert len(store.label_names) == 1000
    measured = object_recall(store, {image_id: np.array([[0, 0, 1, 1]]) for image_id in store.image_ids})
    assert measured["whole_images"] == 1


def test_shards_hold_the_same_bits_as_the_whole(network: nn.Module, photographs: list[tuple[str, Path]]) -> None:
    whole = detect_regions(photographs, network=network)
    shards = [detect_regions([image], network=network) for image in photographs]
    joined = RegionStore.concatenated(shards)
    for name in ("offsets", "features", "boxes", "labels", "confidences"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name), err_msg=name)


def test_regions_are_their_own_image_s_however_many_are_recognised_together(
    network: nn.Module, photographs: list[tuple[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = dict(find_regions(photographs, network=network))
    monkeypatch.setattr(detection, "_IMAGES_AT_ONCE", 2)
    apart = dict(find_regions(photographs, network=network))
    assert list(apart) == list(together) == [image_id for image_id, _ in photographs]
    for image_id, found in apart.items():
        np.testing.assert_array_equal(found.features, together[image_id].features)


def test_at_most_as_many_regions_as_asked_for(network: nn.Module, photographs: list[tuple[str, Path]]) -> None:
    assert detect_regions(photographs, at_most=1, network=network).lengths.tolist() == [1, 1, 1]


def test_a_truncated_picture_stops_the_shard_and_is_named(
    network: nn.Module, photographs: list[tuple[str, Path]], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(photographs[0][1].read_bytes()[:300])
    with pytest.raises(ValueError, match=r"broken\.png cannot be read"):
        detect_regions([*photographs, ("own/broken", broken)], network=network)


def test_an_empty_shard_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        detect_regions([])


def test_recall_counts_objects_that_some_region_covers_half() -> None:
    boxes = np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]], dtype=np.float32)
    nothing = np.zeros(2, dtype=np.int32)
    found = Regions(np.zeros((2, 4), dtype=np.float16), boxes, nothing, nothing.astype(np.float32))
    store = RegionStore.from_regions(["a", "b"], [found, found], ["thing"])
    truth = {"b": np.array([[0, 0, 0.5, 0.5], [0, 0, 0.25, 0.49], [0, 0, 0.25, 0.52], [0.5, 0.5, 1, 0.76]])}
    assert object_recall(store, truth) == {
        "recall": 0.5,
        "images": 1,
        "objects": 4,
        "regions_per_image": 2.0,
        "most_regions": 2,
        "whole_images": 0,
    }


def test_regions_recall_the_objects_of_scenes(network: nn.Module, stamps_folder: Path, tmp_path: Path) -> None:
    write_split(tmp_path / "dev", "dev", size=40, seed=5, stamps=select_stamps(stamps_folder))
    scenes = read_scenes(tmp_path / "dev" / "scenes.jsonl")
    images = [(scene.image_id, picture_path(tmp_path / "dev", scene.image_id)) for scene in scenes]
    measured = object_recall(detect_regions(images, network=network), object_boxes(scenes))
    assert measured["recall"] >= 0.95
    assert measured["regions_per_image"] <= 9
    assert measured["most_regions"] <= 12
