"""Scenes drawn: stamps on a soft background."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from reranksmart.datasets.composed.cutouts import premultiplied, read_cutout, resized
from reranksmart.datasets.composed.scenes import SIDE, SIZES, Scene
from reranksmart.datasets.composed.stamps import Stamp

JPEG_QUALITY = 92


def draw_scene(scene: Scene, stamps: Mapping[str, Stamp], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture (SIDE, SIDE, 3) uint8 blue, green, red; ``rng`` draws the background."""
    canvas = _background(rng)
    for item in scene.objects:
        x1, y1, x2, y2 = (round(value * SIDE) for value in item.box)
        stamp = resized(_pixels(stamps[item.stamp_id].path), x2 - x1, y2 - y1)
        patch = canvas[y1:y2, x1:x2]
        patch *= 1 - stamp[..., 3:] / 255
        patch += stamp[..., :3]
    return np.clip(canvas, 0, 255, out=canvas).astype(np.uint8)


def encode_picture(picture: NDArray[np.uint8]) -> bytes:
    """The picture as a JPEG file."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _background(rng: np.random.Generator) -> NDArray[np.float32]:
    """Pale colours that change slowly over the picture, (SIDE, SIDE, 3) float32."""
    base = rng.uniform(135, 225) + rng.uniform(-28, 28, size=3)
    coarse = base + rng.normal(0, 9, size=(3, 3, 1)) + rng.normal(0, 5, size=(3, 3, 3))
    smooth = cv2.resize(coarse.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, dtype=np.float32)


@lru_cache(maxsize=512)
def _pixels(path: Path) -> NDArray[np.float32]:
    """A stamp's premultiplied pixels, shrunk once to the largest size that scenes use: some are 2,300 pixels long."""
    pixels = premultiplied(read_cutout(path))
    height, width = pixels.shape[:2]
    scale = SIZES["large"][1] / (height * width) ** 0.5
    return resized(pixels, max(1, round(width * scale)), max(1, round(height * scale))) if scale < 1 else pixels
