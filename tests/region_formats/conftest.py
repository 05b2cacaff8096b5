"""A conversion of this folder's tiny features that checks what is left on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from reranksmart.files.region_store import RegionStore
from reranksmart.regions.formats.images import PublishedImage
from reranksmart.regions.formats.writer import convert_regions

from .published import FEATURE_SIZE

Convert = Callable[..., RegionStore]


def converted(images: Iterable[PublishedImage], folder: Path, **settings: Any) -> RegionStore:
    """The store of these images, with ids below ``d``; after an error the folder above the store is as before."""
    folder.mkdir(parents=True, exist_ok=True)
    before = sorted(folder.iterdir())
    try:
        return convert_regions(
            images, folder / "store", **{"image_id": "d/{}".format, "feature_size": FEATURE_SIZE, **settings}
        )
    except ValueError:
        assert sorted(folder.iterdir()) == before
        raise


@pytest.fixture
def convert(tmp_path: Path) -> Convert:
    def of(images: Iterable[PublishedImage], **settings: Any) -> RegionStore:
        return converted(images, tmp_path / "out", **settings)

    return of
