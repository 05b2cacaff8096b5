"""Where a prepared split keeps its pictures."""

from __future__ import annotations

from pathlib import Path


def picture_path(folder: Path, image_id: str) -> Path:
    """The picture of an image: its id below the dataset in one level; a composed scene is a JPEG file."""
    name = image_id.split("/", 1)[1].replace("/", "__")
    return folder / "images" / (name if Path(name).suffix else f"{name}.jpg")
