"""The streaming writer writes what RegionStore.save writes, and all of it or nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from reranksmart.region_formats.writer import writing_regions
from reranksmart.regions import Regions, RegionStore

from .published import encoded


def regions(count: int, *, size: int = 6) -> Regions:
    rng = np.random.default_rng(count)
    corners = np.sort(rng.random((count, 2, 2)), axis=1).reshape(count, 4).astype(np.float32)
    features = rng.standard_normal((count, size)).astype(np.float16)
    return Regions(features, corners, np.arange(count, dtype=np.int32), np.ones(count, np.float32))


def test_files_are_those_of_a_store_that_is_saved_at_once(tmp_path):
    ids = [f"d/{number}" for number in range(120)]
    found = [regions(1 + number % 9) for number in range(120)]
    names = [f"Ding {number}" for number in range(9)]
    RegionStore.from_regions(ids, found, names).save(tmp_path / "saved")
    with writing_regions(tmp_path / "written", label_names=names) as writer:
        for image_id, image in zip(ids, found, strict=True):
            writer.append(image_id, image)
        assert len(writer) == 120
    for path in (tmp_path / "saved").iterdir():
        assert (tmp_path / "written" / path.name).read_bytes() == path.read_bytes()


def write(folder, images, error):
    with writing_regions(folder) as writer:
        for image_id, found in images.items():
            writer.append(image_id, found)
        raise error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_the_old_store_and_nothing_else(tmp_path, error):
    with writing_regions(tmp_path / "store") as writer:
        writer.append("old", regions(2))
    with pytest.raises(error):
        write(tmp_path / "store", {"new": regions(2)}, error)
    assert RegionStore.open(tmp_path / "store").image_ids == ("old",)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


GOOD = regions(2)


@pytest.mark.parametrize(
    ("image_id", "bad", "message"),
    [
        ("a", GOOD, "'a' is in the store already"),
        ("b", regions(0), "0 features, 0 boxes"),
        ("b", replace(GOOD, boxes=GOOD.boxes[:1]), "2 features, 1 boxes"),
        ("b", replace(GOOD, boxes=GOOD.boxes[:, :3]), r"boxes \(2, 3\)"),
        ("b", replace(GOOD, features=GOOD.features[:, 0]), r"features \(2,\)"),
        ("b", replace(GOOD, features=GOOD.features.astype(np.float32)), r"not finite in float16 \(float32\)"),
        ("b", replace(GOOD, boxes=GOOD.boxes + 1), r"outside \[0, 1\]"),
        ("b", replace(GOOD, boxes=GOOD.boxes * np.nan), r"outside \[0, 1\]"),
        ("b", replace(GOOD, features=GOOD.features * np.float16(np.inf)), "not finite in float16"),
        ("b", replace(GOOD, labels=GOOD.labels + 7), "has label 8, but there are 3 label names"),
        ("b", regions(2, size=5), "features of size 5, those before it 6"),
    ],
)
def test_an_image_that_would_spoil_the_store_is_refused(tmp_path, image_id, bad, message):
    with writing_regions(tmp_path / "store", label_names="xyz") as writer:
        writer.append("a", GOOD)
        with pytest.raises(ValueError, match=message):
            writer.append(image_id, bad)
    assert RegionStore.open(tmp_path / "store").image_ids == ("a",)


def test_a_store_without_images_is_refused(tmp_path, convert):
    with pytest.raises(ValueError, match="no image was found"):
        convert(iter([]))
    with pytest.raises(ValueError, match="no image was found"), writing_regions(tmp_path / "store"):
        pass


CONVERT = """
import resource, sys
from pathlib import Path
from reranksmart.region_formats.oscar import read_oscar_features
from reranksmart.region_formats.tsv import read_bottom_up_tsv
from reranksmart.region_formats.writer import convert_regions

def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before = peak_mib()
path = Path(sys.argv[1])
read = read_bottom_up_tsv if path.suffix == ".tsv" else read_oscar_features
store = convert_regions(read(path), path.with_suffix(".store"), image_id=str)
print(len(store), store.features.shape[0], peak_mib() - before)
"""


@pytest.mark.parametrize("suffix", [".tsv", ".pt"])
def test_a_large_file_is_converted_in_the_memory_of_one_image(tmp_path, suffix):
    path = tmp_path / f"features{suffix}"
    features = np.maximum(np.random.default_rng(0).standard_normal((36, 2054)), 0).astype(np.float32)
    features[:, 2048:] = [0, 0, 0.5, 0.5, 0.5, 0.5]
    if suffix == ".tsv":
        arrays = f"{encoded(features[:, 2048:2052])}\t{encoded(features[:, :2048])}\n"
        with path.open("w") as file:
            file.writelines(f"{image}\t640\t480\t36\t{arrays}" for image in range(400))
    else:
        tensors = {image: torch.from_numpy(features.copy()) for image in range(400)}
        torch.save(tensors, path, _use_new_zipfile_serialization=False)
    assert path.stat().st_size > 110 * 2**20
    done = subprocess.run([sys.executable, "-c", CONVERT, str(path)], capture_output=True, text=True, check=True)
    images, rows, grown_mib = done.stdout.split()
    assert (int(images), int(rows)) == (400, 14400)
    assert float(grown_mib) < 30
