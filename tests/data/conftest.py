"""A dozen little stamps of noise, so that scenes need no download."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reranksmart.datasets.composed.stamps import Stamp

NAMES = {
    "goat": ("A goat", "Eine Ziege", "Une chèvre", "Kozel"),
    "owl": ("An owl", "Eine Eule", "Un hibou", "Sova"),
    "moon": ("The full moon", "Der Vollmond", "La pleine lune", "Úplněk"),
    "key": ("A key", "Ein Schlüssel", "Une clé", "Klíč"),
    "pig": ("A pig", "Ein Schwein", "Un cochon", "Prase"),
    "fox": ("A fox", "Ein Fuchs", "Un renard", "Liška"),
    "saw": ("A saw", "Eine Säge", "Une scie", "Pila"),
    "bus": ("A green bus", "Ein grüner Bus", "Un bus vert", "Zelený autobus"),
}


def write_stamp(folder: Path, stamp_id: str, names: tuple[str, ...], *, seed: int = 0, drawing: bool = False) -> Path:
    """A disc of noise (or of one colour) on a transparent ground, with its names beside it."""
    rng = np.random.default_rng(seed)
    height, width = 96, int(rng.integers(96, 140))
    pixels = np.full((height, width, 4), 90, dtype=np.uint8)
    if not drawing:
        pixels[..., :3] = rng.integers(0, 256, size=(height, width, 3))
    down, across = np.mgrid[:height, :width]
    inside = ((down + 0.5) / height - 0.5) ** 2 + ((across + 0.5) / width - 0.5) ** 2 < 0.25
    pixels[..., 3] = np.where(inside, 255, 0)
    path = folder / f"{stamp_id}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    lines = [
        f"{names[0]}.",
        *(f"{code}.utf8={name}." for code, name in zip(("de", "fr", "cs"), names[1:], strict=True)),
    ]
    path.with_suffix(".txt").write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("toy-stamps")
    for seed, (stamp, names) in enumerate(NAMES.items()):
        write_stamp(folder, f"things/{stamp}", names, seed=seed)
    write_stamp(folder, "things/goat-2", NAMES["goat"], seed=99)
    return folder


@pytest.fixture(scope="session")
def toy_stamps(toy_folder: Path) -> list[Stamp]:
    from reranksmart.datasets.composed.stamps import select_stamps

    return select_stamps(toy_folder)
