"""Any picture a person has is read upright; anything else is an error that names it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reranksmart.files.photographs import read_photograph, read_scaled
from reranksmart.files.picture_folders import fault_of

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "1", "RGBA", "LA"])
def test_every_mode_is_read_as_three_channels(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("p.tiff" if mode == "CMYK" else "p.png")
    Image.fromarray(GREY).convert(mode).save(path)
    picture = read_photograph(path)
    assert picture.shape == (6, 8, 3)
    assert picture.dtype == np.uint8
    if mode in ("RGB", "L", "RGBA", "LA"):
        np.testing.assert_array_equal(picture, np.repeat(GREY[..., None], 3, axis=2))


def test_what_is_transparent_shows_white(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 4), dtype=np.uint8)
    pixels[:2, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "p.png")
    picture = read_photograph(tmp_path / "p.png")
    assert (picture[:2] == 0).all()
    assert (picture[2:] == 255).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    Image.fromarray(GREY.astype(np.uint16) * 256).save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_photograph(tmp_path / "p.png")[..., 0], GREY)


def test_a_camera_held_on_its_side_gives_an_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter, clockwise
    Image.fromarray(GREY).save(tmp_path / "p.png", exif=exif)
    np.testing.assert_array_equal(read_photograph(tmp_path / "p.png")[..., 0], np.rot90(GREY, -1))


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
@pytest.mark.parametrize("notes", [b"Exif\0\0no notes at all", b"Exif\0\0MM\0"], ids=["other bytes", "cut off"])
def test_a_whole_picture_whose_exif_is_damaged_is_read_as_it_lies(tmp_path: Path, suffix: str, notes: bytes) -> None:
    path = tmp_path / f"p{suffix}"
    Image.fromarray(GREY).convert("RGB").save(path, exif=notes)
    assert fault_of(path) is None
    assert read_photograph(path).shape == (6, 8, 3)


def test_a_truncated_picture_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "half.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(ValueError, match=r"half\.jpg cannot be read as an image.*Allowed is.*leave it out"):
        read_photograph(path)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"])
def test_what_is_no_picture_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"text\.jpg cannot be read"):
        read_photograph(path)


@pytest.mark.parametrize("name", ["drawing.jpg", "drawing.eps"])
def test_what_could_start_another_program_is_no_picture(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EOF\n")
    assert fault_of(path) is not None
    with pytest.raises(ValueError, match=r"cannot be read as an image.*JPEG, PNG"):
        read_photograph(path)


def test_a_picture_beyond_the_limits_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("1", (20_001, 1)).save(path)
    with pytest.raises(ValueError, match=r"it has 20,001 x 1 pixels; at most 100,000,000 and 20,000 on a side"):
        read_photograph(path)
    assert fault_of(path) is not None


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_scaled_picture_is_the_whole_one_made_small(tmp_path: Path, suffix: str) -> None:
    """A JPEG is decoded at a part of its size, which is nearly the same."""
    path = tmp_path / f"p{suffix}"
    ramp = np.linspace(0, 255, 600, dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.repeat(ramp[:, None], 900, axis=1)).convert("RGB").save(path, exif=exif)
    small = read_scaled(path, side=100)
    assert small.size == (100, 150)
    whole = Image.fromarray(read_photograph(path)).resize((100, 150), Image.Resampling.BOX)
    assert np.abs(np.asarray(small, np.int32) - np.asarray(whole, np.int32)).max() <= 3


def test_a_missing_picture_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.jpg does not exist"):
        read_photograph(tmp_path / "gone.jpg")


_MEASURED = """
import resource, sys
import subprocess
import sys
from pathlib import Path
from reranksmart.files.photographs import read_photograph
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
print(read_photograph(Path(sys.argv[1])).nbytes, peak() - before)
"""


def test_a_large_picture_is_held_at_most_two_and_a_half_times_while_it_is_read(tmp_path: Path) -> None:
    Image.new("RGB", (6000, 4000), "teal").save(tmp_path / "large.jpg")
    command = [sys.executable, "-c", _MEASURED, str(tmp_path / "large.jpg")]
    size, taken = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert size == 6000 * 4000 * 3
    assert taken < 2.5 * size
