"""Splits of scenes: pictures, captions and their meanings, made from a seed alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from reranksmart.datasets.composed.phrases import phrase
from reranksmart.datasets.composed.pictures import draw_scene, encode_picture
from reranksmart.datasets.composed.propositions import (
    Proposition,
    draw_lists,
    draw_propositions,
    is_true,
    write_propositions,
)
from reranksmart.datasets.composed.scenes import Scene, compose_scene, generator, scene_id, turned, write_scenes
from reranksmart.datasets.composed.stamps import LANGUAGES, Stamp
from reranksmart.datasets.prepared.layout import picture_path
from reranksmart.files.storage import write_captions
from reranksmart.files.writing import atomic_directory
from reranksmart.run.progress import progress
from reranksmart.values.records import Captions

CAPTIONS_PER_IMAGE = 5


@dataclass(frozen=True)
class DescribedScene:
    """A scene and the meanings of its captions, the same in every language."""

    scene: Scene
    propositions: tuple[Proposition, ...]


def make_scene(split: str, index: int, *, seed: int, stamps: Sequence[Stamp]) -> DescribedScene:
    """The scene at one place of a split: the same whatever else is made.

    Captions of the split ``pretrain`` list things and tell no places, so that they are no other split's.
    """
    concepts = concepts_of(stamps)
    layouts, meanings = generator(seed, split, index, "layout"), generator(seed, split, index, "captions")
    while True:
        scene = compose_scene(scene_id(split, index), stamps, layouts)
        if split == "pretrain":
            drawn = draw_lists(scene, concepts, count=CAPTIONS_PER_IMAGE, rng=meanings)
        else:
            drawn = draw_propositions(scene, concepts, split=split, count=CAPTIONS_PER_IMAGE, rng=meanings)
        if drawn:
            return DescribedScene(scene, tuple(drawn))


def make_twin(split: str, index: int, *, seed: int, stamps: Sequence[Stamp]) -> DescribedScene:
    """The scene at one place of a split of twins: 2 i and 2 i + 1 hold the same objects, rearranged.

    Every caption of one is false of the other; pairs where that fails (an object twice) are drawn anew.
    """
    concepts = concepts_of(stamps)
    first = index - index % 2
    layouts = generator(seed, split, first, "layout")
    meanings = [generator(seed, split, first + place, "captions") for place in (0, 1)]
    while True:
        scene = compose_scene(scene_id(split, first), stamps, layouts)
        pair = (scene, turned(scene, scene_id(split, first + 1)))
        drawn = [
            draw_propositions(one, concepts, split=split, count=CAPTIONS_PER_IMAGE, rng=rng)
            for one, rng in zip(pair, meanings, strict=True)
        ]
        told = [any(is_true(said, other, concepts) for said in drawn[1 - place]) for place, other in enumerate(pair)]
        if all(drawn) and not any(told):
            return DescribedScene(pair[index % 2], tuple(drawn[index % 2]))


def concepts_of(stamps: Iterable[Stamp]) -> dict[str, str]:
    """The concept of each stamp id."""
    return {stamp.id: stamp.concept for stamp in stamps}


def caption_scene(
    described: DescribedScene, language: str, *, seed: int, split: str, index: int, stamps: Iterable[Stamp]
) -> Captions:
    """The captions of a scene in one language; their ids end in the language and a number."""
    names = {stamp.concept: stamp.names for stamp in stamps}
    rng = generator(seed, split, index, f"words {language}")
    texts = phrase(described.propositions, language, names, rng)
    image_id = described.scene.image_id
    ids = tuple(f"{image_id}#{language}{number}" for number in range(len(texts)))
    return Captions(ids, tuple(texts), (image_id,) * len(texts), (language,) * len(texts))


def write_split(folder: Path, split: str, *, size: int, seed: int, stamps: Sequence[Stamp], start: int = 0) -> Captions:
    """The captions of the scenes ``start`` to ``start + size`` of a split, after writing all that belongs to them.

    ``folder`` then holds images/ (JPEG), scenes.jsonl, captions.jsonl and propositions.jsonl, or nothing at all. The
    split named ``twins`` is made of pairs; any other name gives scenes of its own.
    """
    if size < 1 or start < 0:
        raise ValueError(f"a split needs at least one scene and a start of 0 or more, got size {size}, start {start}.")
    if split == "twins" and (size % 2 or start % 2):
        raise ValueError(f"twins come in pairs, got size {size}, start {start}; give even numbers.")
    make = make_twin if split == "twins" else make_scene
    by_id = {stamp.id: stamp for stamp in stamps}
    scenes: list[Scene] = []
    captions: list[Captions] = []
    propositions: dict[str, Proposition] = {}
    with atomic_directory(folder) as target:
        (target / "images").mkdir()
        for index in progress(range(start, start + size), what=f"{split} scenes", total=size):
            described = make(split, index, seed=seed, stamps=stamps)
            scenes.append(described.scene)
            for language in LANGUAGES:
                said = caption_scene(described, language, seed=seed, split=split, index=index, stamps=stamps)
                captions.append(said)
                propositions.update(zip(said.ids, described.propositions, strict=True))
            # Twins share their background, so that nothing but the arrangement tells them apart.
            behind = generator(seed, split, index - index % 2 if make is make_twin else index, "background")
            picture = draw_scene(described.scene, by_id, behind)
            picture_path(target, described.scene.image_id).write_bytes(encode_picture(picture))
        written = Captions.concatenated(captions)
        write_scenes(target / "scenes.jsonl", scenes)
        write_captions(target / "captions.jsonl", written)
        write_propositions(target / "propositions.jsonl", propositions)
    return written
