"""What is asked and what comes back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from reranksmart.files.picture_folders import Broken
from reranksmart.values.records import Direction

SIMILAR: Literal["image-to-image"] = "image-to-image"
Asks = Direction | Literal["image-to-image"]


@dataclass(frozen=True)
class Query:
    """One question: a text that asks for pictures, a picture's path that asks for captions, or the id of one of the
    index's pictures, or a picture's path with ``similar`` or without any captions there, that ask for pictures like it.

    The first ``depth`` items found are re-ranked, of pictures alike none; ``top`` of each list are wanted.
    """

    text: str | None = None
    image: Path | None = None
    like: str | None = None
    similar: bool = False
    depth: int = 20
    top: int = 10
    false_alarms: float = 0.05
    """The share of questions whose answer is there that may be told that nothing matches."""

    def __post_init__(self) -> None:
        if sum(given is not None for given in (self.text, self.image, self.like)) != 1:
            raise ValueError("a query is a text or an image; give exactly one of them.")
        if self.text is not None and not self.text.strip():
            raise ValueError(f"the query {self.text!r} is empty; describe what to look for.")
        for name in ("depth", "top"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; at least 1 item. Give a larger number.")
        if not 0 < self.false_alarms < 1:
            raise ValueError(
                f"false_alarms is {self.false_alarms}; it is a share between 0 and 1. Give one, such as 0.05."
            )

    @property
    def asks(self) -> Asks:
        if self.similar or self.like is not None:
            return SIMILAR
        return Direction.IMAGE_TO_TEXT if self.text is None else Direction.TEXT_TO_IMAGE


@dataclass(frozen=True)
class Hit:
    """One item found: its place before and after re-ranking (from 1) and both stages' scores.

    ``cosine`` is the retriever's, ``log_odds`` the reranker's: None beyond the depth, where the retriever's order
    stays. ``picture`` shows the item, or what the caption found describes, ``deleted`` if its file is gone; ``text`` is
    that caption.
    """

    id: str
    picture: Path
    text: str | None
    retrieved_rank: int
    rank: int
    cosine: float
    log_odds: float | None
    deleted: bool = False


@dataclass(frozen=True)
class Results:
    """The answer to one query: the first hits of the retriever, and those after re-ranking, each best first.

    ``times_ms`` are by stage, of the whole batch of ``batch_size`` queries that were answered together. ``unknown`` are
    the words of a text that the retriever's vocabulary lacks. ``nothing_matches`` says that the best candidate scores too
    low at the query's rate of false alarms, and ``probability`` that it is right where every other question has no answer;
    both are None where the index does not know how its models score what is there.
    """

    direction: Asks
    depth: int
    retrieved: tuple[Hit, ...]
    reranked: tuple[Hit, ...]
    times_ms: Mapping[str, float]
    batch_size: int = 1
    unknown: tuple[str, ...] = ()
    nothing_matches: bool | None = None
    probability: float | None = None

    def as_json(self) -> dict[str, Any]:
        """The answer in values that JSON knows; pictures are paths."""
        lists = {
            name: [{**asdict(hit), "picture": str(hit.picture)} for hit in getattr(self, name)]
            for name in ("retrieved", "reranked")
        }
        times = {stage: round(time, 3) for stage, time in self.times_ms.items()}
        return {
            "direction": str(self.direction),
            "depth": self.depth,
            **lists,
            "times_ms": times,
            "batch_size": self.batch_size,
            "unknown": list(self.unknown),
            "nothing_matches": self.nothing_matches,
            "probability": self.probability,
        }


@dataclass(frozen=True)
class Added:
    """What became of pictures offered to an index: ids taken in, paths it had already (by content), broken files."""

    ids: tuple[str, ...]
    known: tuple[Path, ...]
    broken: tuple[Broken, ...]
