"""The streaming writer writes what RegionStore.save writes, and all of it or nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reranksmart.files.region_store import Regions, RegionStore
from reranksmart.regions.formats.writer import writing_regions

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
        ("b", replace(GOOD, features=GOOD.features.astype(np.float64)), r"not finite in .* \(float64\)"),
        ("b", replace(GOOD, boxes=GOOD.boxes + 1), r"outside \[0, 1\]"),
        ("b", replace(GOOD, boxes=GOOD.boxes * np.nan), r"outside \[0, 1\]"),
        ("b", replace(GOOD, features=GOOD.features * np.float16(np.inf)), "not finite in float16"),
        ("b", replace(GOOD, labels=GOOD.labels + 7), "has label 8, but there are 3 label names"),
        ("b", regions(2, size=5), "features of size 5, those before it size 6"),
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
import json, sys
from pathlib import Path
from reranksmart.regions.formats.oscar import read_oscar_features
from reranksmart.regions.formats.tsv import read_bottom_up_tsv
from reranksmart.regions.formats.writer import convert_regions

def mib(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) / 1024

def grown_by(run):
    # The peak of this process alone: getrusage would give a parent's, if that is larger.
    Path("/proc/self/clear_refs").write_text("5")
    before = mib("VmRSS")
    held = run()
    return mib("VmHWM") - before

path = Path(sys.argv[1])
read = read_bottom_up_tsv if path.suffix == ".tsv" else read_oscar_features
stores = []
grown = grown_by(lambda: stores.append(convert_regions(read(path), path.with_suffix(".store"), image_id=str)))
found = {"images": len(stores[0]), "regions": len(stores[0].features), "grown_mib": grown}
if sys.argv[2:]:
    found["held_mib"] = grown_by(lambda: [image.detections() for image in read(path)])
print(json.dumps(found))
"""


def converting(path: Path, *options: str, images: int, zipped: bool = False) -> dict[str, float]:
    """Images and regions of the store made from a generated file, and the MiB by which memory grew at its peak.

    With the option ``held`` also the MiB by which it grows where all images are read and kept.
    """
    features = np.maximum(np.random.default_rng(0).standard_normal((36, 2054)), 0).astype(np.float32)
    features[:, 2048:] = [0, 0, 0.5, 0.5, 0.5, 0.5]
    if path.suffix == ".tsv":
        arrays = f"{encoded(features[:, 2048:2052])}\t{encoded(features[:, :2048])}\n"
        with path.open("w") as file:
            file.writelines(f"{image}\t640\t480\t36\t{arrays}" for image in range(images))
    else:
        tensors = {image: torch.from_numpy(features.copy()) for image in range(images)}
        torch.save(tensors, path, _use_new_zipfile_serialization=zipped)
    call = [sys.executable, "-c", CONVERT, str(path), *options]
    return json.loads(subprocess.run(call, capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("suffix", [".tsv", ".pt"])
def test_a_large_file_is_converted_in_the_memory_of_one_image(tmp_path, suffix):
    path = tmp_path / f"features{suffix}"
    found = converting(path, "held", images=400)
    assert path.stat().st_size > 110 * 2**20
    assert (found["images"], found["regions"]) == (400, 14400)
    assert found["grown_mib"] < 30
    assert found["held_mib"] > 100


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "zipped"), [(".tsv", False), (".pt", False), (".pt", True)])
def test_memory_does_not_grow_with_the_file(tmp_path, suffix, zipped):
    """Measured: 3 MiB for a TSV of 1.58 GB, 5 and 7 MiB for .pt files of 1.18 GB in torch's old and new form."""
    path = tmp_path / f"features{suffix}"
    found = converting(path, images=4000, zipped=zipped)
    assert path.stat().st_size > 1.1e9
    assert (found["images"], found["regions"]) == (4000, 144_000)
    assert found["grown_mib"] < 40
