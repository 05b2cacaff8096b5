"""Files made to do harm: bombs, paths that lead out, pickles that run code, ids that nobody should have."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from data.test_stamp_archive import tar_of
from hypothesis import given, settings
from hypothesis import strategies as st
from region_formats.published import CLASSES, FEATURE_SIZE, FORMATS, PICTURES
from running import ROOT

from reranksmart.config.validation import validated
from reranksmart.datasets.composed.stamp_archive import fetch_stamps
from reranksmart.datasets.prepared.caption_tables import read_file_captions
from reranksmart.datasets.prepared.layout import picture_path
from reranksmart.datasets.published.texts import read_lines
from reranksmart.files.picture_names import PictureNames
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import read_captions, read_embeddings, write_captions, write_jsonl
from reranksmart.files.weights import read_pickled_tensors
from reranksmart.inputs.stored import RegionInputs
from reranksmart.regions.detectors.selective_search import intersection_over_union
from reranksmart.regions.formats.folders import read_npz_folder
from reranksmart.regions.formats.pickles import read_pickled_npy
from reranksmart.regions.formats.tsv import read_bottom_up_tsv
from reranksmart.regions.formats.writer import convert_regions
from reranksmart.training.state import StateFile
from reranksmart.values.batches import box_geometry
from reranksmart.values.records import Captions
from reranksmart.values.settings import ConfigError

from .mutations import changed_value, code_in_pickle
from .readers import READERS, Reader
from .trial import attempt, whole

BOMB = 200 * 2**20


def zeros_npz(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        np.lib.format.write_array_header_1_0(
            member, {"descr": "<f4", "fortran_order": False, "shape": (BOMB // 4096, 1024)}
        )
        for _ in range(BOMB // 2**20):
            member.write(bytes(2**20))


def compressed_checkpoint(path: Path) -> None:
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(BOMB // 4)}, buffer)
    with zipfile.ZipFile(buffer) as whole_file, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in whole_file.namelist():
            archive.writestr(name, whole_file.read(name))


def zeros_tar(path: Path) -> None:
    path.write_bytes(tar_of({"a.png": bytes(BOMB)}, root="stamps/"))


def zeros_gz(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(BOMB), 9))


@pytest.mark.parametrize(
    ("name", "write", "read"),
    [
        ("embeddings.npz", zeros_npz, read_embeddings),
        ("1.npz", zeros_npz, lambda path: next(read_npz_folder(path.parent)).detections()),
        ("pytorch_model.bin", compressed_checkpoint, read_pickled_tensors),
        ("training.pt", compressed_checkpoint, lambda path: StateFile(path, "s").load()),
        ("s.tar.gz", zeros_tar, lambda path: fetch_stamps(path.parent / "out", source=path)),
        ("captions.gz", zeros_gz, read_lines),
    ],
    ids=["records", "published regions", "checkpoint", "training state", "stamps", "captions"],
)
def test_a_bomb_is_refused_unpacked(
    name: str, write: Callable[[Path], None], read: Callable[[Path], Any], tmp_path: Path
) -> None:
    write(tmp_path / name)
    assert (tmp_path / name).stat().st_size < 2**20
    with pytest.raises(ValueError, match=r"unpacks? to"):
        read(tmp_path / name)


PICKLES = [name for name in READERS if any(word in name for word in (" pt", "npy", "oscar", "OSCAR", "tags", "uniter"))]
PICKLES += ["published m3p", "published joint", "training state", "relevance", "pair scores"]


@pytest.mark.parametrize("name", PICKLES)
def test_no_pickle_runs_code_in_any_file_of_a_reader(name: str, tmp_path: Path) -> None:
    reader, place = READERS[name], tmp_path / "trial"
    whole(reader, place)
    for path in sorted(found.relative_to(place) for found in (place / "in").rglob("*") if found.is_file()):
        expected = whole(reader, place)
        code_in_pickle(place / path, random.Random(0))
        outcome = attempt(reader, place, expected)
        assert outcome.kind in ("refused", "same"), (path, outcome)
        assert not list(place.rglob("executed")), path


@pytest.mark.parametrize("name", ["../evil.png", "/evil.png", "stamps/../../evil.png"])
def test_an_archive_member_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "s.tar").write_bytes(tar_of({name: b"x"}, root="stamps/" if not name.startswith("/") else ""))
    with pytest.raises(ValueError, match="outside"):
        fetch_stamps(tmp_path / "results" / "stamps", source=tmp_path / "s.tar")
    assert not list(tmp_path.rglob("evil.png"))
    assert not (tmp_path / "results" / "stamps").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_of_an_archive_are_not_made(kind: bytes, tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        good = tarfile.TarInfo("stamps/a.png")
        good.size = 1
        archive.addfile(good, io.BytesIO(b"x"))
        bad = tarfile.TarInfo("stamps/b.png")
        bad.type, bad.linkname = kind, "/etc/passwd"
        archive.addfile(bad)
    (tmp_path / "s.tar").write_bytes(content.getvalue())
    made = fetch_stamps(tmp_path / "stamps", source=tmp_path / "s.tar")
    assert [path.name for path in made.iterdir()] == ["a.png"]


@pytest.mark.parametrize("image", ["../secret.png", "/etc/passwd", "link/../../secret.png", "loop.png", "a\0.png"])
def test_a_picture_outside_of_its_folder_is_refused(image: str, tmp_path: Path) -> None:
    def write(folder: Path) -> None:
        READERS["own files, JSON Lines"].write(folder)
        (folder.parent / "secret.png").write_bytes((folder / "pictures" / "a.png").read_bytes())
        (folder / "pictures" / "loop.png").symlink_to("loop.png")

    reader = Reader(write, READERS["own files, JSON Lines"].read)
    expected = whole(reader, tmp_path / "trial")
    write_jsonl(tmp_path / "trial" / "in" / "captions.jsonl", [{"text": "A dog", "image": image}])
    outcome = attempt(reader, tmp_path / "trial", expected)
    assert outcome.kind == "refused", outcome


@pytest.mark.parametrize("name", FORMATS)
def test_a_box_without_area_is_read_as_one(name: str, tmp_path: Path) -> None:
    """Published detectors made some: a region of no width is its feature at a place, and every number stays finite."""
    (tmp_path / "in").mkdir()
    flat = replace(PICTURES[4], boxes=np.float32([[10, 20, 10, 60]]))
    images = FORMATS[name](tmp_path / "in", [PICTURES[0], flat])
    convert_regions(images, tmp_path / "out", image_id="d/{}".format, label_names=CLASSES, feature_size=FEATURE_SIZE)
    store = RegionStore.open(tmp_path / "out")
    left, top, right, bottom = store[1].boxes[0]
    assert left == right
    assert top < bottom
    batch = RegionInputs(store).batch(np.arange(2))
    assert torch.isfinite(box_geometry(batch.boxes, "x1 y1 x2 y2 w h area")).all()
    assert intersection_over_union(store[1].boxes, store[1].boxes) == 0


@given(image_id=st.text())
def test_a_picture_lies_in_its_splits_folder_whatever_its_id(image_id: str) -> None:
    folder = Path("/results/data/d/test")
    try:
        path = picture_path(folder, image_id)
    except ValueError as error:
        assert "rename" in str(error)  # noqa: PT017
    else:
        assert path.parent == folder / "images"
        assert path.name not in ("", ".", "..")


words = st.text(st.characters(exclude_categories=[]), max_size=8)


@settings(max_examples=150)
@given(rows=st.lists(st.tuples(words, words, words), max_size=4))
def test_captions_of_any_text_are_kept_or_refused(rows: list[tuple[str, str, str]], tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("captions") / "captions.jsonl"
    try:
        captions = Captions(*(tuple(row[place] for row in rows) for place in range(3)), ("en",) * len(rows))
    except ValueError as error:
        assert "caption" in str(error)  # noqa: PT017
        return
    write_captions(path, captions)
    assert read_captions(path) == captions


@settings(max_examples=150)
@given(content=st.binary(max_size=60))
def test_any_bytes_are_captions_or_refused(content: bytes, tmp_path_factory) -> None:
    for name in ("captions.jsonl", "captions.csv"):
        path = tmp_path_factory.mktemp("bytes") / name
        path.write_bytes(content)
        with pytest.raises(ValueError, match="captions") as caught:
            read_file_captions(path, dataset="mine", languages=("en",), pictures=PictureNames(["a.png"]))
        assert type(caught.value) is ValueError


@settings(max_examples=150)
@given(
    fields=st.lists(st.one_of(st.binary(max_size=8), st.sampled_from([b"1", b"AAAA", b"7\r"])), min_size=1, max_size=7)
)
def test_any_fields_are_an_image_or_refused(fields: list[bytes], tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("tsv") / "features.tsv"
    path.write_bytes(b"\t".join(fields))
    try:
        for image in read_bottom_up_tsv(path):
            image.detections()
    except ValueError as error:
        assert type(error) is ValueError  # noqa: PT017


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32))
def test_any_change_of_the_configuration_is_accepted_or_described(seed: int) -> None:
    raw = yaml.safe_load((ROOT / "workflow" / "configs" / "tiny.yaml").read_text())
    how, changed = changed_value(raw, random.Random(seed))
    if not isinstance(changed, dict):
        return
    try:
        validated(changed)
    except ConfigError as error:
        assert str(error).startswith("The configuration cannot run:\n  - "), how  # noqa: PT017
        assert len(str(error)) < 50_000, how  # noqa: PT017


def test_a_pickle_cannot_have_memory_filled(tmp_path: Path) -> None:
    path = tmp_path / "1_info.npy"
    np.save(path, np.array({"bbox": 1}, dtype=object), allow_pickle=True)
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        header = path.read_bytes()[: file.tell()]
    path.write_bytes(header + b"\x80\x02]r" + (2**31).to_bytes(4, "little") + b".")
    with path.open("rb") as file, pytest.raises(pickle.UnpicklingError, match="remembered as number 2,147,483,648"):
        read_pickled_npy(file)
