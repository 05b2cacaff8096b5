"""Truth against an oracle that enumerates, and relevance against truth of every pair."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reranksmart.datasets.composed.propositions import (
    MARGIN,
    Mention,
    Proposition,
    draw_propositions,
    is_true,
    may_say,
    read_propositions,
    relevance,
    write_propositions,
)
from reranksmart.datasets.composed.scenes import Scene, SceneObject, turned

STAMPS = {"s0": "goat", "s1": "goat", "s2": "owl", "s3": "key", "s4": "fox"}
SIZES = ("small", "medium", "large")
RELATIONS = ("left of", "right of", "above", "below")


@st.composite
def scenes(draw: st.DrawFn, image_id: str = "scenes/x-0", *, distinct: bool = False) -> Scene:
    stamps = ["s0", "s2", "s3", "s4"] if distinct else list(STAMPS)
    chosen = draw(st.lists(st.sampled_from(stamps), min_size=1, max_size=5, unique=distinct))
    # Corners on the pixel grid and few places, so that equal centres and exact margins occur.
    items = []
    for stamp in chosen:
        left, top = draw(st.integers(0, 20)) * 16, draw(st.integers(0, 20)) * 16
        box = (left / 416, top / 416, (left + 80) / 416, (top + 64) / 416)
        items.append(SceneObject(stamp, box, draw(st.sampled_from(SIZES))))
    return Scene(image_id, tuple(items))


mentions = st.builds(Mention, st.sampled_from(["goat", "owl", "key", "pig"]), st.sampled_from([None, "small", "large"]))
propositions = st.builds(
    Proposition,
    st.sampled_from(RELATIONS),
    mentions,
    mentions,
    st.none() | st.builds(Mention, mentions.map(lambda m: m.concept)),
)


def oracle(proposition: Proposition, scene: Scene) -> bool:
    """Every assignment of different objects to what the proposition names."""
    named = [one for one in (proposition.first, proposition.second, proposition.third) if one is not None]
    for chosen in permutations(scene.objects, len(named)):
        fits = [
            STAMPS[item.stamp_id] == one.concept and (one.size is None or one.size == item.size)
            for one, item in zip(named, chosen, strict=True)
        ]
        (ax, ay), (bx, by) = chosen[0].centre, chosen[1].centre
        apart = {"left of": bx - ax, "right of": ax - bx, "above": by - ay, "below": ay - by}[proposition.relation]
        if all(fits) and apart >= MARGIN:
            return True
    return False


@given(scenes(), propositions)
def test_truth_is_that_some_different_objects_fit(scene: Scene, proposition: Proposition) -> None:
    assert is_true(proposition, scene, STAMPS) == oracle(proposition, scene)


@given(st.lists(scenes(), max_size=6), st.lists(propositions, max_size=8))
def test_relevance_is_the_truth_of_every_pair(found: list[Scene], said: list[Proposition]) -> None:
    gallery = [Scene(f"scenes/x-{row}", scene.objects) for row, scene in enumerate(found)]
    captions = {f"c{row}": proposition for row, proposition in enumerate(said)}
    answer = relevance(captions, gallery, STAMPS)
    expected = [
        (caption, scene.image_id)
        for caption, proposition in captions.items()
        for scene in gallery
        if oracle(proposition, scene)
    ]
    assert list(zip(answer.caption_ids, answer.image_ids, strict=True)) == expected


@given(scenes(), st.sampled_from(["train", "dev", "test"]), st.integers(0, 2**32))
def test_drawn_propositions_are_true_and_the_splits_own(scene: Scene, split: str, seed: int) -> None:
    drawn = draw_propositions(scene, STAMPS, split=split, count=5, rng=np.random.default_rng(seed))
    assert len(drawn) in (0, 5)
    assert not drawn or len(set(drawn)) >= 2
    assert all(oracle(proposition, scene) and may_say(proposition, split) for proposition in drawn)


@given(propositions)
def test_what_one_of_train_dev_and_test_may_say_the_others_may_not(proposition: Proposition) -> None:
    assert sum(may_say(proposition, split) for split in ("train", "dev", "test")) == 1


@given(scenes(distinct=True), st.integers(0, 2**32))
def test_what_is_true_of_a_scene_is_false_of_it_turned(scene: Scene, seed: int) -> None:
    drawn = draw_propositions(scene, STAMPS, split="twins", count=5, rng=np.random.default_rng(seed))
    assert not any(is_true(proposition, turned(scene, "t"), STAMPS) for proposition in drawn)


def test_propositions_come_back_as_written(tmp_path: Path) -> None:
    said = {
        "c0": Proposition("left of", Mention("a goat", "small"), Mention("an owl")),
        "c1": Proposition("below", Mention("a goat"), Mention("an owl"), Mention("a key")),
    }
    write_propositions(tmp_path / "propositions.jsonl", said)
    assert read_propositions(tmp_path / "propositions.jsonl") == said
