"""What captions say, and when it is true."""

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np

from reranksmart.datasets.composed.scenes import Scene, SceneObject
from reranksmart.files.reading import reading
from reranksmart.files.storage import read_jsonl, write_jsonl
from reranksmart.values.records import Relevance

MARGIN = 0.1
"""How far apart two centres must lie for one to be left of or above the other, as a share of the picture's side."""

# Axis (0 across, 1 down) and sign of second centre minus first centre.
RELATIONS = {"left of": (0, 1), "right of": (0, -1), "above": (1, 1), "below": (1, -1)}
SHOWN = "shown"
"""What is said of things whose places do not matter: that one, two or three of them are in the picture."""
SIZES_SAID = ("small", "large")
_SIZE_ODDS, _THIRD_ODDS = 0.35, 0.3
_TRAIN_SHARE, _DEV_SHARE = 60, 15
"""Percent of all propositions that only train, and only dev, may say."""
_TRIES = 8


@dataclass(frozen=True)
class Mention:
    """A thing by its concept (``Stamp.concept``), with its size where the caption says it."""

    concept: str
    size: str | None = None


@dataclass(frozen=True)
class Proposition:
    """``first`` stands in ``relation`` to ``second``, and ``third``, if there is one, is also in the picture.

    Things that are merely ``SHOWN`` stand in no relation, and there may be but one.
    """

    relation: str
    first: Mention
    second: Mention | None = None
    third: Mention | None = None

    @property
    def mentions(self) -> tuple[Mention, ...]:
        return tuple(mention for mention in (self.first, self.second, self.third) if mention is not None)


def holds(relation: str, first: SceneObject, second: SceneObject) -> bool:
    """Whether the first object stands in this relation to the second, by a clear margin."""
    axis, sign = RELATIONS[relation]
    return sign * (second.centre[axis] - first.centre[axis]) >= MARGIN


def is_true(proposition: Proposition, scene: Scene, concepts: Mapping[str, str]) -> bool:
    """Whether the scene holds different objects that fit the proposition; ``concepts`` names each stamp id.

    The one definition of relevance: captions are made of propositions true by it, and galleries searched with it.
    """
    third = proposition.third
    if proposition.relation == SHOWN or proposition.second is None:
        asked = proposition.mentions
        return any(
            all(_fits(mention, item, concepts) for mention, item in zip(asked, items, strict=True))
            for items in permutations(scene.objects, len(asked))
        )
    for first in scene.objects:
        if not _fits(proposition.first, first, concepts):
            continue
        for second in scene.objects:
            if not _fits(proposition.second, second, concepts) or not holds(proposition.relation, first, second):
                continue
            rest = (item for item in scene.objects if item is not first and item is not second)
            if third is None or any(_fits(third, item, concepts) for item in rest):
                return True
    return False


def _fits(mention: Mention, item: SceneObject, concepts: Mapping[str, str]) -> bool:
    return concepts[item.stamp_id] == mention.concept and mention.size in (None, item.size)


def may_say(proposition: Proposition, split: str) -> bool:
    """Whether captions of this split may say it: what training says, dev and test never do, and the reverse."""
    bucket = zlib.crc32(repr(proposition).encode()) % 100
    if split == "train":
        return bucket < _TRAIN_SHARE
    if split == "dev":
        return _TRAIN_SHARE <= bucket < _TRAIN_SHARE + _DEV_SHARE
    return bucket >= _TRAIN_SHARE + _DEV_SHARE


def draw_propositions(
    scene: Scene, concepts: Mapping[str, str], *, split: str, count: int, rng: np.random.Generator
) -> list[Proposition]:
    """``count`` propositions true of the scene that the split may say, different ones as far as it has any.

    None where there are fewer than two: as many captions of one proposition would lack wordings.
    """
    related = [
        (relation, first, second)
        for first, second in permutations(scene.objects, 2)
        for relation in RELATIONS
        if holds(relation, first, second)
    ]
    if not related:
        return []
    order = rng.permutation(len(related))
    drawn: list[Proposition] = []
    for turn in range(_TRIES * count):
        relation, first, second = related[order[turn % len(order)]]
        rest = [item for item in scene.objects if item is not first and item is not second]
        third = None
        if rest and rng.random() < _THIRD_ODDS:
            third = Mention(concepts[rest[rng.integers(len(rest))].stamp_id])
        proposition = Proposition(relation, _mention(first, concepts, rng), _mention(second, concepts, rng), third)
        if may_say(proposition, split) and proposition not in drawn:
            drawn.append(proposition)
        if len(drawn) == count:
            break
    return [drawn[place % len(drawn)] for place in range(count)] if len(drawn) >= 2 else []


def draw_lists(scene: Scene, concepts: Mapping[str, str], *, count: int, rng: np.random.Generator) -> list[Proposition]:
    """``count`` lists of one to three things of the scene in any order, different ones as far as it has any."""
    drawn: list[Proposition] = []
    for _ in range(_TRIES * count):
        named = int(rng.integers(1, min(3, len(scene.objects)) + 1))
        chosen = rng.choice(len(scene.objects), size=named, replace=False)
        said = Proposition(SHOWN, *(_mention(scene.objects[row], concepts, rng) for row in chosen))
        if said not in drawn:
            drawn.append(said)
        if len(drawn) == count:
            break
    return [drawn[place % len(drawn)] for place in range(count)]


def _mention(item: SceneObject, concepts: Mapping[str, str], rng: np.random.Generator) -> Mention:
    said = rng.random() < _SIZE_ODDS and item.size in SIZES_SAID
    return Mention(concepts[item.stamp_id], item.size if said else None)


def relevance(
    propositions: Mapping[str, Proposition], scenes: Sequence[Scene], concepts: Mapping[str, str]
) -> Relevance:
    """Every (caption, scene) pair where the caption is true, captions in order and scenes in order.

    ``propositions`` maps caption ids to meanings. Only scenes that hold both first things are asked, found by an
    index, so that 6,000 captions over 20,000 scenes take about a second.
    """
    scenes_with: dict[frozenset[str], list[int]] = defaultdict(list)
    for row, scene in enumerate(scenes):
        found = [concepts[item.stamp_id] for item in scene.objects]
        for pair in {frozenset(pair) for pair in combinations(found, 2)} | {frozenset({name}) for name in found}:
            scenes_with[pair].append(row)
    answers: dict[Proposition, list[str]] = {}
    caption_ids: list[str] = []
    image_ids: list[str] = []
    for caption_id, proposition in propositions.items():
        if proposition not in answers:
            named = frozenset(mention.concept for mention in proposition.mentions[:2])
            candidates = scenes_with.get(named, [])
            answers[proposition] = [
                scenes[row].image_id for row in candidates if is_true(proposition, scenes[row], concepts)
            ]
        caption_ids += [caption_id] * len(answers[proposition])
        image_ids += answers[proposition]
    return Relevance(tuple(caption_ids), tuple(image_ids))


def write_propositions(path: Path, propositions: Mapping[str, Proposition]) -> None:
    """JSON Lines with the caption's id, the relation and what is named, in a list with null for an unsaid size."""
    write_jsonl(path, (_row(caption_id, proposition) for caption_id, proposition in propositions.items()))


def _row(caption_id: str, proposition: Proposition) -> dict[str, Any]:
    mentions = [[mention.concept, mention.size] for mention in proposition.mentions]
    return {"id": caption_id, "relation": proposition.relation, "mentions": mentions}


def read_propositions(path: Path) -> dict[str, Proposition]:
    """The meaning of each caption in a file of ``write_propositions``; ValueError with the line that has none."""
    found = {}
    for line, row in enumerate(read_jsonl(path), start=1):
        with reading(path, remedy=f"See line {line}; delete the split's folder to have it made again."):
            mentions = [Mention(concept, size) for concept, size in row["mentions"]]
            said = [row["id"], row["relation"], *(mention.concept for mention in mentions)]
            said += [mention.size for mention in mentions if mention.size is not None]
            if not all(isinstance(text, str) for text in said):
                raise ValueError(f"{said} are not all texts")
            found[row["id"]] = Proposition(row["relation"], *mentions)
    return found
