"""Files of torch.save and numpy.save: read piecewise, never run, and refused when broken."""

from __future__ import annotations

import io
import os
import pickle
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reranksmart.regions.formats.folders import read_npy_folder, read_npz_folder, read_pt_folder
from reranksmart.regions.formats.oscar import read_object_tags, read_oscar_features
from reranksmart.regions.formats.pickles import PlainUnpickler, plain, read_pickled_npy
from reranksmart.regions.formats.torch_files import open_torch_file
from reranksmart.regions.formats.volta import read_volta_h5

from .conftest import converted
from .published import FEATURE_SIZE, FORMATS, PICTURES

both_kinds = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "stream"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "saved.pt"


def save(value: object, path: Path, *, zipped: bool) -> None:
    torch.save(value, path, _use_new_zipfile_serialization=zipped)


@both_kinds
@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(24, dtype=torch.float32).reshape(4, 6),
        torch.arange(24, dtype=torch.float16).reshape(4, 6)[1:3],
        torch.arange(24, dtype=torch.float64).reshape(4, 6)[:, 2:4],
        torch.arange(24, dtype=torch.int64).reshape(4, 6).T,
        torch.tensor(3.5),
        torch.zeros(0, 5),
        torch.tensor([True, False]),
    ],
)
def test_tensors_are_those_that_were_saved(path, zipped, tensor):
    save({"other": torch.ones(7), "this": tensor}, path, zipped=zipped)
    with open_torch_file(path) as file:
        found = file.read(file.value["this"])
    assert found.shape == tuple(tensor.shape)
    assert found.dtype == tensor.numpy().dtype
    assert (found == tensor.numpy()).all()


@both_kinds
def test_tensors_that_share_their_numbers_are_told_apart(path, zipped, convert):
    rows = torch.from_numpy(np.concatenate([image.columns for image in PICTURES]))
    ends = np.cumsum([len(image.boxes) for image in PICTURES])
    value = {image.id: rows[end - len(image.boxes) : end] for image, end in zip(PICTURES, ends, strict=True)}
    save(value, path, zipped=zipped)
    for found, image in zip(convert(read_oscar_features(path)), PICTURES, strict=True):
        assert (found.features == image.features.astype(np.float16)).all()


@both_kinds
def test_object_tags_are_texts_by_image(path, zipped):
    save({391895: "dog tree", "391902": "tennis racket"}, path, zipped=zipped)
    tags = read_object_tags(path, image_id="coco/{}".format)
    assert tags == {"coco/391895": "dog tree", "coco/391902": "tennis racket"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1, 2], "holds list, not a dict from image"),
        ({1.5: "dog"}, r"the key 1\.5 is neither a number nor text"),
        ({1: 5}, "entry 1, image '1': its tags are int, not text"),
        ({1: "a", "1": "b"}, "entry 2, image '1': image id 'd/1' occurs a second time"),
    ],
)
def test_other_things_are_no_tags(path, value, message):
    save(value, path, zipped=True)
    with pytest.raises(ValueError, match=message):
        read_object_tags(path, image_id="d/{}".format)


@pytest.mark.parametrize("zipped", [True, False])
def test_bfloat16_is_read_as_the_numbers_that_it_holds(path, zipped, convert):
    columns = torch.from_numpy(PICTURES[2].columns).bfloat16()
    save({1: columns.repeat(2, 1)[::2]}, path, zipped=zipped)
    found = convert(read_oscar_features(path))
    expected = columns.repeat(2, 1)[::2].float().numpy()[:, :FEATURE_SIZE]
    np.testing.assert_array_equal(found.features, expected.astype(np.float16))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1: "dog"}, "entry 1, image '1': its features are str, not a tensor"),
        ({1: torch.ones(3, 14, dtype=torch.int32)}, r"features are int32 \(3, 8\)"),
        ({1: torch.ones(14)}, r"features have shape \(14,\)"),
    ],
)
def test_other_things_are_no_features(path, value, message, convert):
    save(value, path, zipped=False)
    with pytest.raises(ValueError, match=message):
        convert(read_oscar_features(path))


class Hostile:
    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self):
        return os.mkdir, (str(self.made),)


@both_kinds
def test_a_pickle_runs_nothing(tmp_path, path, zipped):
    save({1: Hostile(tmp_path / "made")}, path, zipped=zipped)
    with pytest.raises(ValueError, match=r"names posix\.mkdir, which plain data does not"):
        list(read_oscar_features(path))
    assert not (tmp_path / "made").exists()


def test_a_pickled_npy_runs_nothing(tmp_path, convert):
    source = tmp_path / "source"
    source.mkdir()
    images = FORMATS["npy"](source, PICTURES[:1])
    np.save(source / f"{PICTURES[0].id}_info.npy", Hostile(tmp_path / "made"))
    with pytest.raises(ValueError, match=r"_info\.npy cannot be read .*names posix\.mkdir"):
        convert(images)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["numpy.core", "numpy._core"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "f2", "i8", "?"])
def test_arrays_of_old_and_new_numpy_are_read(name, dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype)
    for given_array in (array, np.asfortranarray(array)):
        text = pickle.dumps([given_array, array[1, 1]], protocol=2).replace(b"numpy._core", name.encode())
        pickled, scalar = PlainUnpickler(io.BytesIO(text)).load()
        found = plain(pickled)
        assert (found == array).all()
        assert found.dtype == array.dtype
        assert scalar == array[1, 1]


@pytest.mark.parametrize("value", [np.ones(3), {"a": np.array(["text"])}, {"a": np.ones(3, "c8")}])
def test_other_pickled_arrays_are_refused(tmp_path, value):
    np.save(tmp_path / "a.npy", value)
    with (tmp_path / "a.npy").open("rb") as file, pytest.raises((ValueError, pickle.UnpicklingError)):
        read_pickled_npy(file)


def test_big_endian_and_compressed_archives_are_refused(tmp_path, path):
    save({1: torch.ones(2, 14)}, path, zipped=True)
    for name, byteorder, compression in (("big", b"big", 0), ("small", b"little", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / f"{name}.pt", "w", compression) as new:
            for member in old.namelist():
                new.writestr(member, byteorder if member.endswith("byteorder") else old.read(member))
    with pytest.raises(ValueError, match="big-endian"):
        list(read_oscar_features(tmp_path / "big.pt"))
    with open_torch_file(tmp_path / "small.pt") as file, pytest.raises(ValueError, match="it is compressed"):
        file.read(file.value[1])


READERS = {
    "oscar": (read_oscar_features, "test_img_frcnn_feats.pt"),
    "oscar-2020": (read_oscar_features, "test_img_frcnn_feats.pt"),
    "volta": (read_volta_h5, "test_boxes36.h5"),
    "npz": (read_npz_folder, "1000092808.npz"),
    "pt": (read_pt_folder, "1000092808.pt"),
    "npy": (read_npy_folder, "1000092808.npy"),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("left", [0, 3, 100, 0.5, 0.9, -1])
def test_a_truncated_file_is_refused(name, left, tmp_path, convert):
    read, file_name = READERS[name]
    source = tmp_path / "source"
    source.mkdir()
    FORMATS[name](source, PICTURES)
    path = source / file_name
    whole = path.read_bytes()
    path.write_bytes(whole[: int(left * len(whole)) if isinstance(left, float) else left])
    with pytest.raises(ValueError, match=file_name):
        convert(read(path if path.suffix in (".h5",) or name.startswith("oscar") else source))


@pytest.mark.parametrize("name", READERS)
def test_a_missing_file_is_no_damaged_file(name, tmp_path, convert):
    read, _ = READERS[name]
    with pytest.raises((FileNotFoundError, ValueError), match=r"is missing|No such file|holds no"):
        convert(read(tmp_path / "absent"))


def changed(value: dict, **changes: object) -> dict:
    return {key: item for key, item in {**value, **changes}.items() if item is not None}


NPZ = {"x": np.ones((2, 8)), "bbox": np.array([[0.0, 0, 9, 9]] * 2), "num_bbox": 2, "image_h": 10, "image_w": 10}
PT = {"features": NPZ["x"], "boxes": NPZ["bbox"], "num_boxes": 2, "img_h": 10, "img_w": 10}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_bbox": None}, r"\['num_bbox'\] missing; a file of this format has"),
        ({"num_bbox": 3}, r"num_bbox is 3, but x has shape \(2, 8\)"),
        ({"x": np.ones((8, 2))}, r"num_bbox is 2, but x has shape \(8, 2\)"),
        ({"x": np.ones((2, 8), int)}, r"features are int64 \(2, 8\)"),
        ({"bbox": np.ones((2, 5))}, r"boxes are float64 \(2, 5\)"),
        ({"bbox": np.ones((2, 4), int)}, r"boxes are int64 \(2, 4\)"),
        ({"bbox": np.array([{}])}, "the archive cannot be read .*allow_pickle"),
        ({"image_w": np.ones(2)}, "image_w is .* not one number"),
        ({"image_w": np.nan}, "the image's size is nan x 10"),
        ({"image_h": 0}, "the image's size is 10 x 0"),
    ],
)
def test_a_broken_npz_is_named(tmp_path, changes, message, convert):
    source = tmp_path / "source"
    source.mkdir()
    np.savez(source / "5.npz", **changed(NPZ, **changes))
    with pytest.raises(ValueError, match=message) as error:
        convert(read_npz_folder(source))
    assert f"{source / '5.npz'}, image '5'" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"boxes": None}, r"\['boxes'\] missing"),
        ({"num_boxes": 3}, "num_boxes is 3, but there are 2 features"),
        ({"num_boxes": "2"}, "num_boxes is '2', not one number"),
        ({"features": "text"}, "features is str, not an array"),
        ({"objects": np.ones(2)}, r"labels are float64 \(2,\)"),
        ({"objects": np.array([1, -5])}, "they must be numbers of classes, from 0"),
        ({"objects": np.array([1])}, r"labels are int64 \(1,\)"),
        ({"cls_prob": np.ones(2)}, r"cls_prob has shape \(2,\)"),
        ({"cls_prob": np.ones((1, 5))}, r"confidences are float64 \(1,\)"),
    ],
)
def test_a_broken_pt_is_named(tmp_path, changes, message, convert):
    source = tmp_path / "source"
    source.mkdir()
    torch.save(changed(PT, **changes), source / "5.pt")
    with pytest.raises(ValueError, match=message) as error:
        convert(read_pt_folder(source))
    assert f"{source / '5.pt'}, image '5'" in str(error.value)


def test_tensors_do_as_well_as_arrays_in_a_pt(tmp_path, convert):
    source = tmp_path / "source"
    source.mkdir()
    torch.save({**PT, "features": torch.ones(2, 8), "boxes": torch.from_numpy(PT["boxes"])}, source / "5.pt")
    assert convert(read_pt_folder(source)).features.tolist() == np.ones((2, 8)).tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"img_w": None}, r"\['img_w'\] missing; a group has"),
        ({"features": np.ones((2, 8), int)}, r"features are int64 \(2, 8\)"),
        ({"boxes": np.ones((1, 4))}, r"boxes are float64 \(1, 4\); 2 features need"),
        ({"obj_id": np.ones(2)}, r"labels are float64 \(2,\)"),
        ({"obj_conf": np.array([1, np.inf])}, "a confidence is not finite"),
        ({"img_h": np.ones(2)}, r"img_h is float64 \(2,\), not one number"),
        ({"img_h": "tall"}, r"img_h is .* not one number"),
    ],
)
def test_a_broken_h5_group_is_named(tmp_path, changes, message, convert):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for key, value in changed(PT, **changes).items():
            file[f"5/{key}"] = value
    with pytest.raises(ValueError, match=message) as error:
        convert(read_volta_h5(tmp_path / "a.h5"))
    assert f"{tmp_path / 'a.h5'}, group 1, image '5'" in str(error.value)


def test_an_h5_file_of_another_layout_is_refused(tmp_path, convert):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["features"] = np.ones((3, 8))
    with pytest.raises(ValueError, match="group 1, image 'features': the group cannot be read"):
        convert(read_volta_h5(tmp_path / "a.h5"))


@pytest.mark.parametrize("lost", ["1000092808.npy", "1000092808_info.npy"])
def test_half_a_pair_is_refused(tmp_path, lost, convert):
    source = tmp_path / "source"
    source.mkdir()
    images = FORMATS["npy"](source, PICTURES)
    (source / lost).unlink()
    with pytest.raises(ValueError, match=r"1000092808_info\.npy is missing or has no features"):
        convert(images)


def test_npy_files_below_the_folder_have_their_path_as_id(tmp_path, convert):
    (tmp_path / "source" / "train").mkdir(parents=True)
    FORMATS["npy"](tmp_path / "source" / "train", PICTURES[:1])
    assert convert(read_npy_folder(tmp_path / "source")).image_ids == ("d/train/1000092795",)


def _published(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        images = PICTURES[:1] if name == "pt" else PICTURES[:3]
        FORMATS[name](Path(folder), images)
        file = READERS[name][1] if name != "pt" else "1000092795.pt"
        return (Path(folder) / file).read_bytes()


@pytest.mark.parametrize("name", ["oscar", "oscar-2020", "pt"])
def test_a_mutated_pickle_is_refused_or_gives_a_valid_store(name):
    whole = _published(name)

    @given(data=st.data())
    @settings(max_examples=120)
    def check(data):
        # the pickle is at the start; what follows are the numbers themselves
        at = data.draw(st.integers(0, min(len(whole), 1500) - 1))
        put = data.draw(st.binary(max_size=2))
        mutant = whole[:at] + put + whole[at + data.draw(st.integers(0, 2)) :]
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "5.pt").write_bytes(mutant)
            images = read_pt_folder(Path(folder)) if name == "pt" else read_oscar_features(Path(folder) / "5.pt")
            try:
                store = converted(images, Path(folder) / "out")
            except ValueError:
                return
            assert ((store.boxes >= 0) & (store.boxes <= 1)).all()
            assert np.isfinite(store.features).all()
            assert store.feature_size == 8

    check()
