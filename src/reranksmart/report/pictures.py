"""Pictures inside the page: small JPEGs as data URIs, with the regions that the model saw."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from reranksmart.files.photographs import read_photograph

WIDTH = 208


@dataclass(frozen=True)
class Picture:
    """What the page shows of an image: the data URI, its height over width, and boxes (x, y, width, height) in 0..1."""

    uri: str
    aspect: float
    boxes: tuple[tuple[float, float, float, float], ...]
    name: str


@dataclass(frozen=True)
class Answer:
    """One ranked item: a picture or a text, its score and whether it is right."""

    rank: int
    score: float
    relevant: bool
    picture: Picture | None = None
    text: str = ""


@dataclass(frozen=True)
class Example:
    """A query with its answers before and after re-ranking."""

    query: str
    before: tuple[Answer, ...]
    after: tuple[Answer, ...]
    query_picture: Picture | None = None
    before_label: str = "retriever (cosine)"
    after_label: str = "re-ranked (log-odds)"
    note: str = ""


def picture(path: Path, boxes: Sequence[Sequence[float]] = ()) -> Picture:
    """The image upright, as its regions were found, at most ``WIDTH`` pixels wide; ``boxes`` are (x1, y1, x2, y2) in 0..1."""
    if not path.exists():
        raise ValueError(f"picture {path} is missing; the rule that prepares its split makes it")
    image = Image.fromarray(read_photograph(path))
    image.thumbnail((WIDTH, WIDTH))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    sizes = tuple((float(x1), float(y1), float(x2) - float(x1), float(y2) - float(y1)) for x1, y1, x2, y2 in boxes)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return Picture(f"data:image/jpeg;base64,{encoded}", image.height / image.width, sizes, path.stem)
