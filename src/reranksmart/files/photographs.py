"""Image files of any kind as pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError


def read_photograph(path: Path) -> NDArray[np.uint8]:
    """The picture upright, as far as its EXIF can be read, as (H, W, 3) uint8 red, green, blue; what is transparent
    shows white.

    Raises FileNotFoundError where there is no file and ValueError where it is no picture or a truncated one.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"the picture {path} does not exist or is no file. Every picture that is named needs its file: put it there, or "
            "name another."
        )
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image) if _has_readable_exif(image) else image
            if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                upright = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
            elif upright.mode.startswith("I"):  # 16 bits a pixel: Pillow would clip it, not scale it
                upright = Image.fromarray((np.asarray(upright, dtype=np.int64) >> 8).clip(0, 255).astype(np.uint8))
            return np.asarray(upright.convert("RGB"))
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as an image ({error}). Allowed is any whole picture that Pillow reads (JPEG, PNG, "
            "WebP, ...). Fetch or make the file again, or leave it out."
        ) from error


def _has_readable_exif(image: Image.Image) -> bool:
    """Whether what stands where a camera's notes are can be read; the pixels may be whole all the same."""
    try:
        image.getexif()
    except Exception:  # parsers raise nearly every type on damaged notes
        return False
    return True
