"""Pictures decoded: the only place that opens one, by content and within limits, whatever its name says."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from reranksmart.files.reading import require_fetched

FORMATS: tuple[str, ...] = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What a picture may be, as Pillow calls it: nothing that starts another program or draws from instructions."""
with suppress(ImportError):  # the extra [heic]
    from pillow_heif import register_heif_opener

    register_heif_opener()
    FORMATS += ("HEIF",)
MOST_PIXELS, LONGEST_SIDE = 100_000_000, 20_000
_STRIP = 256  # rows
Image.MAX_IMAGE_PIXELS = None  # the limits here stand in for Pillow's, which warns below twice its own


class TooLargeError(ValueError):
    """A picture beyond the limits, which its first bytes tell."""


@contextmanager
def undecoded(
    source: Path | BinaryIO, *, formats: tuple[str, ...] = FORMATS, most: int = MOST_PIXELS
) -> Iterator[Image.Image]:
    """The picture with its size and notes known and no pixel read; TooLargeError where decoding it would cost too much."""
    with Image.open(source, formats=formats) as image:
        if image.width * image.height > most or max(image.size) > LONGEST_SIDE:
            raise TooLargeError(
                f"it has {image.width:,} x {image.height:,} pixels; at most {most:,} and {LONGEST_SIDE:,} on a side are decoded"
            )
        yield image


def read_photograph(path: Path) -> NDArray[np.uint8]:
    """The picture upright, as far as its EXIF can be read, as (H, W, 3) uint8 red, green, blue; what is transparent
    shows white.

    Raises FileNotFoundError where there is no file and ValueError where it is no picture, a truncated or too large one.
    """
    with _explained(path), undecoded(path) as image:
        return _pixels(_upright(image))


def read_scaled(path: Path, *, side: int) -> Image.Image:
    """The picture upright, its shorter side about ``side`` pixels or as it is if that is less; raises as ``read_photograph``.

    A JPEG is decoded at an eighth, a quarter or half of its size where that is enough.
    """
    with _explained(path), undecoded(path) as image:
        image.draft("RGB", (side, side))
        upright = _upright(image)
    scale = min(1.0, side / min(upright.size))
    size = (round(scale * upright.width), round(scale * upright.height))
    return upright if scale == 1 else upright.resize(size, Image.Resampling.BICUBIC, reducing_gap=3)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    if not path.is_file():
        raise FileNotFoundError(
            f"the picture {path} does not exist or is no file. Every picture that is named needs its file: put it there, or "
            "name another."
        )
    require_fetched(path)
    try:
        yield
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as an image ({error}). Allowed is any whole picture that is {', '.join(FORMATS)} by its "
            "content. Fetch or make the file again, or leave it out."
        ) from error


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says, in red, green and blue."""
    image.load()
    if _has_readable_exif(image):
        ImageOps.exif_transpose(image, in_place=True)
    upright = image
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
    elif upright.mode.startswith("I"):  # 16 bits a pixel: Pillow would clip it, not scale it
        upright = Image.fromarray((np.asarray(upright) >> 8).clip(0, 255).astype(np.uint8))
    return upright if upright.mode == "RGB" else upright.convert("RGB")


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """As (H, W, 3), a strip at a time: Pillow would hold a picture three times while it becomes an array."""
    found = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _STRIP):
        found[top : top + _STRIP] = np.asarray(image.crop((0, top, image.width, min(top + _STRIP, image.height))))
    return found


def _has_readable_exif(image: Image.Image) -> bool:
    """Whether what stands where a camera's notes are can be read; the pixels may be whole all the same."""
    try:
        image.getexif()
    except Exception:  # parsers raise nearly every type on damaged notes
        return False
    return True
