"""Pictures with transparency, cut to what can be seen of them."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reranksmart.files.reading import reading

VISIBLE_ALPHA = 128


def read_cutout(path: Path) -> NDArray[np.uint8]:
    """The picture as (H, W, 4) uint8 blue, green, red, alpha, cut to the box around its visible pixels."""
    with reading(path, remedy="It must be a picture; fetch the stamps again."):
        decoded = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        if decoded is None or not decoded.size:
            raise ValueError("OpenCV finds no whole picture in it")
    deep = np.asarray(decoded)
    picture = (deep // 256 if deep.dtype == np.uint16 else deep).astype(np.uint8)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    if picture.shape[2] == 3:
        picture = np.dstack([picture, np.full(picture.shape[:2], 255, dtype=np.uint8)])
    visible = picture[..., 3] > VISIBLE_ALPHA
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    if not len(rows):
        return picture
    return np.ascontiguousarray(picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def premultiplied(cutout: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The cutout as float32 with colours multiplied by alpha, so that resizing lets no hidden colour bleed in."""
    pixels = cutout.astype(np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255
    return pixels


def resized(pixels: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Premultiplied pixels at another size."""
    shrinks = width < pixels.shape[1] or height < pixels.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=interpolation), dtype=np.float32)


def is_photograph(cutout: NDArray[np.uint8]) -> bool:
    """Whether the cutout looks like a photograph and not like a drawing.

    A photograph has many colours for its area, and noise: neighbouring pixels are seldom exactly equal, while in a
    drawing whole areas are. A picture without any transparency has no outline; one that is mostly translucent (fire,
    fireworks) shows the background. The limits were set by looking at all 648 larger stamps.
    """
    alpha = cutout[..., 3]
    opaque = alpha > 128
    if not 0.05 < opaque.mean() < 0.995:
        return False
    colours = cutout[..., :3].astype(np.uint32) @ np.array([1, 1 << 8, 1 << 16], dtype=np.uint32)
    distinct = len(np.unique(colours[opaque]))
    equal_neighbours = (colours[:, 1:] == colours[:, :-1])[opaque[:, 1:] & opaque[:, :-1]].mean()
    translucent = ((alpha > 16) & (alpha < 240)).sum() / (alpha > 16).sum()
    return bool(distinct >= 1000 and distinct >= 0.04 * opaque.sum() and equal_neighbours < 0.22 and translucent < 0.7)
