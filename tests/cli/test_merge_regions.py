"""The shards of a split become one store, in the memory of one image."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from reranksmart.cli.regions import merge_regions_verb
from reranksmart.files.region_store import Regions, RegionStore

REGIONS, FEATURES = 50, 2048


def shard(folder: Path, numbers: range, *, names: tuple[str, ...] = ("thing",)) -> Path:
    rng = np.random.default_rng(numbers.start)
    found = []
    for _ in numbers:
        features = rng.standard_normal((REGIONS, FEATURES)).astype(np.float16)
        boxes = np.sort(rng.random((REGIONS, 2, 2)), axis=1).reshape(REGIONS, 4).astype(np.float32)
        found.append(Regions(features, boxes, np.zeros(REGIONS, np.int32), np.ones(REGIONS, np.float32)))
    RegionStore.from_regions([f"d/{number}" for number in numbers], found, names).save(folder)
    return folder


def test_shards_are_merged_to_the_same_files_in_the_memory_of_one_image(tmp_path: Path) -> None:
    shards = [shard(tmp_path / "0", range(60)), shard(tmp_path / "1", range(60, 100))]
    RegionStore.concatenated([RegionStore.open(folder) for folder in shards]).save(tmp_path / "expected")
    tracemalloc.start()
    merge_regions_verb(shards, tmp_path / "data", tmp_path / "merged")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20 * REGIONS * FEATURES * 2  # bytes; all of it are a hundred
    for path in (tmp_path / "expected").iterdir():
        assert (tmp_path / "merged" / path.name).read_bytes() == path.read_bytes()


def test_shards_of_different_detectors_are_not_merged(tmp_path: Path) -> None:
    shards = [shard(tmp_path / "0", range(2)), shard(tmp_path / "1", range(2, 4), names=("dog",))]
    with pytest.raises(ValueError, match="name their classes differently"):
        merge_regions_verb(shards, tmp_path / "data", tmp_path / "merged")
    assert not (tmp_path / "merged").exists()
