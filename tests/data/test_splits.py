"""Splits: pure functions of seed, split and index; disjoint; twins that contradict each other."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from reranksmart.datasets.composed.audit import audit_scenes
from reranksmart.datasets.composed.propositions import is_true, read_propositions, relevance
from reranksmart.datasets.composed.scenes import read_scenes
from reranksmart.datasets.composed.splits import concepts_of, make_scene, make_twin, write_split
from reranksmart.datasets.composed.stamps import Stamp
from reranksmart.datasets.prepared.audit import audit_splits
from reranksmart.files.storage import read_captions


def pictures(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (folder / "images").iterdir()}


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_a_shorter_split_and_a_shard_hold_the_same_scenes(tmp_path: Path, toy_stamps: list[Stamp]) -> None:
    write_split(tmp_path / "whole", "dev", size=8, seed=1, stamps=toy_stamps)
    write_split(tmp_path / "first", "dev", size=3, seed=1, stamps=toy_stamps)
    write_split(tmp_path / "rest", "dev", size=5, seed=1, stamps=toy_stamps, start=3)
    assert pictures(tmp_path / "whole") == pictures(tmp_path / "first") | pictures(tmp_path / "rest")
    for name in ("captions", "propositions", "scenes"):
        parts = [lines(tmp_path / folder / f"{name}.jsonl") for folder in ("whole", "first", "rest")]
        assert parts[0] == parts[1] + parts[2], name


def test_seed_split_and_index_each_change_the_scene(toy_stamps: list[Stamp]) -> None:
    made = [
        make_scene(split, index, seed=seed, stamps=toy_stamps).scene.objects
        for seed, split, index in ((1, "dev", 0), (2, "dev", 0), (1, "test", 0), (1, "dev", 1))
    ]
    assert len(set(made)) == 4


def test_five_captions_in_each_language_are_true_of_their_image(tmp_path: Path, toy_stamps: list[Stamp]) -> None:
    captions = write_split(tmp_path / "dev", "dev", size=20, seed=1, stamps=toy_stamps)
    assert captions == read_captions(tmp_path / "dev" / "captions.jsonl")
    assert captions.ids[:2] == ("scenes/dev-00000#en0", "scenes/dev-00000#en1")
    scenes = read_scenes(tmp_path / "dev" / "scenes.jsonl")
    found = relevance(read_propositions(tmp_path / "dev" / "propositions.jsonl"), scenes, concepts_of(toy_stamps))
    pairs = set(zip(found.caption_ids, found.image_ids, strict=True))
    assert pairs >= set(zip(captions.ids, captions.image_ids, strict=True))
    for scene in scenes:
        for language in ("en", "de", "fr", "cs"):
            own = captions.of_images([scene.image_id]).in_languages([language])
            assert len(set(own.texts)) == 5


def test_captions_of_pretraining_list_things_and_are_no_other_splits(tmp_path: Path, toy_stamps: list[Stamp]) -> None:
    folders = {split: tmp_path / split for split in ("pretrain", "train")}
    listed, told = (write_split(folder, split, size=20, seed=1, stamps=toy_stamps) for split, folder in folders.items())
    assert not set(listed.texts) & set(told.texts)
    assert not any(
        word in text for text in listed.in_languages(["en"]).texts for word in ("left", "right", "above", "top")
    )
    scenes = read_scenes(folders["pretrain"] / "scenes.jsonl")
    said = read_propositions(folders["pretrain"] / "propositions.jsonl")
    found = relevance(said, scenes, concepts_of(toy_stamps))
    by_id = {scene.image_id: scene for scene in scenes}
    pairs = set(zip(found.caption_ids, found.image_ids, strict=True))
    assert pairs >= set(zip(listed.ids, listed.image_ids, strict=True))
    assert pairs == {
        (caption, image)
        for caption, meaning in said.items()
        for image, scene in by_id.items()
        if is_true(meaning, scene, concepts_of(toy_stamps))
    }


def test_a_caption_in_another_language_is_true_of_the_same_images(tmp_path: Path, toy_stamps: list[Stamp]) -> None:
    write_split(tmp_path / "dev", "dev", size=4, seed=1, stamps=toy_stamps)
    said = read_propositions(tmp_path / "dev" / "propositions.jsonl")
    assert {said[f"scenes/dev-00003#{language}2"] for language in ("en", "de", "fr", "cs")} == {
        said["scenes/dev-00003#en2"]
    }


def test_twins_hold_the_same_things_and_contradict_each_other(toy_stamps: list[Stamp]) -> None:
    concepts = concepts_of(toy_stamps)
    for first in range(0, 60, 2):
        pair = [make_twin("twins", index, seed=1, stamps=toy_stamps) for index in (first, first + 1)]
        things = [[(item.stamp_id, item.size) for item in one.scene.objects] for one in pair]
        assert things[0] == things[1]
        for one, other in (pair, pair[::-1]):
            assert all(is_true(said, one.scene, concepts) for said in one.propositions)
            assert not any(is_true(said, other.scene, concepts) for said in one.propositions)


def test_half_a_pair_of_twins_is_refused(tmp_path: Path, toy_stamps: list[Stamp]) -> None:
    with pytest.raises(ValueError, match="twins come in pairs"):
        write_split(tmp_path / "twins", "twins", size=3, seed=1, stamps=toy_stamps)


def test_a_split_that_fails_leaves_nothing(tmp_path: Path, toy_stamps: list[Stamp]) -> None:
    gone = [replace(stamp, path=tmp_path / "gone.png") for stamp in toy_stamps]
    with pytest.raises(FileNotFoundError):
        write_split(tmp_path / "out" / "dev", "dev", size=2, seed=1, stamps=gone)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, toy_stamps: list[Stamp]) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("splits")
    for split in ("train", "test", "twins"):
        write_split(base / split, split, size=4, seed=1, stamps=toy_stamps)
    return {split: base / split for split in ("train", "test", "twins")}


def test_splits_of_one_seed_are_disjoint(folders: dict[str, Path]) -> None:
    assert audit_splits(folders) == {"pictures": 12, "captions": 240}
    found = audit_scenes(folders, unseen_stamps=[])
    assert found["layouts"] == 12
    assert found["stamps"] == 9


def test_the_audit_finds_a_picture_that_two_splits_share(folders: dict[str, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(folders["test"], tmp_path / "other")
    with pytest.raises(ValueError, match="have the same picture"):
        audit_splits({**folders, "other": copy})


def test_the_audit_finds_scenes_that_differ_in_pixels_only(folders: dict[str, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(folders["test"], tmp_path / "other")
    with pytest.raises(ValueError, match="have the same objects and places"):
        audit_scenes({**folders, "other": copy}, unseen_stamps=[])


def test_the_audit_finds_a_caption_of_test_that_training_reads(folders: dict[str, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(folders["test"], tmp_path / "test")
    leaked = (folders["train"] / "captions.jsonl").read_text().splitlines()[0]
    with (copy / "captions.jsonl").open("a") as file:
        file.write(leaked.replace("train", "test").replace("#", "#leak") + "\n")
    with pytest.raises(ValueError, match="share 1 captions"):
        audit_scenes({**folders, "test": copy}, unseen_stamps=[])


def test_the_audit_finds_an_unseen_stamp_among_the_seen(folders: dict[str, Path], toy_stamps: list[Stamp]) -> None:
    with pytest.raises(ValueError, match=r"of split 'train' shows .* which is held out"):
        audit_scenes(folders, unseen_stamps=toy_stamps)
    with pytest.raises(ValueError, match=r"of split 'unseen' shows .* which is not held out"):
        audit_scenes({"unseen": folders["test"]}, unseen_stamps=[])
