"""Which stamps are photographs and which texts are names."""

from __future__ import annotations

from pathlib import Path

import pytest

from reranksmart.datasets.composed.stamps import (
    LANGUAGES,
    Stamp,
    clean_name,
    hold_out,
    in_english,
    is_name,
    read_stamps,
    select_stamps,
    write_stamps,
)

from .conftest import NAMES, write_stamp


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("A goat.", "A goat"),
        ("Un lion heureux !", "Un lion heureux"),
        ("A peacock (a male peafowl).", "A peacock"),
        ("Klasická kytara - španělka", "Klasická kytara"),
        ("Un  chêne-vert.", "Un chêne-vert"),
    ],
)
def test_asides_and_final_punctuation_are_no_part_of_a_name(text: str, cleaned: str) -> None:
    assert clean_name(text) == cleaned


@pytest.mark.parametrize(
    ("text", "corrected"),
    [
        ("An hippopotamus", "A hippopotamus"),
        ("A owl", "An owl"),
        ("An hourglass", "An hourglass"),
        ("A unicorn", "A unicorn"),
        ("A european bear", "A European bear"),
        ("The full moon", "The full moon"),
    ],
)
def test_articles_go_by_sound(text: str, corrected: str) -> None:
    assert in_english(text) == corrected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("A hot air balloon", "en", True),
        ("Eat your broccoli", "en", False),
        ("Another tombstone", "en", False),
        ("A gun last in service here", "en", False),
        ("A very small pitcher", "en", False),
        ("Eine Ziege", "de", True),
        ("Noch ein Grabstein", "de", False),
        ("L'éléphant", "fr", True),
        ("De la lavande", "fr", True),
        ("Ovce", "cs", True),
        ("Velká palice", "cs", False),
    ],
)
def test_a_name_is_an_article_and_a_noun_of_five_words_without_size(text: str, language: str, expected: bool) -> None:
    assert is_name(text, language) is expected


def test_drawings_duplicates_and_unclear_names_are_left_out(tmp_path: Path) -> None:
    write_stamp(tmp_path, "a/goat", NAMES["goat"], seed=1)
    write_stamp(tmp_path, "b/same-goat", NAMES["goat"], seed=1)
    write_stamp(tmp_path, "b/other-goat", NAMES["goat"], seed=2)
    write_stamp(tmp_path, "c/drawn-fox", NAMES["fox"], seed=3, drawing=True)
    write_stamp(tmp_path, "c/cartoon/fox", NAMES["fox"], seed=4)
    write_stamp(tmp_path, "d/billy", ("A billy", *NAMES["goat"][1:]), seed=5)
    write_stamp(tmp_path, "d/sentence", ("It eats", *NAMES["pig"][1:]), seed=6)
    assert [stamp.id for stamp in select_stamps(tmp_path)] == ["a/goat", "b/other-goat"]


def test_an_empty_folder_is_an_error_that_names_the_rule(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fetch_stamps"):
        select_stamps(tmp_path)


def test_held_out_stamps_share_no_name_with_seen_ones(toy_stamps: list[Stamp]) -> None:
    for seed in range(10):
        seen, unseen = hold_out(toy_stamps, count=3, seed=seed)
        assert sorted([*seen, *unseen], key=lambda stamp: stamp.path) == toy_stamps
        assert 3 <= len(unseen) <= 4
        for language in LANGUAGES:
            names = [{stamp.names[language].casefold() for stamp in part} for part in (seen, unseen)]
            assert not names[0] & names[1]


def test_holding_out_everything_is_refused(toy_stamps: list[Stamp]) -> None:
    with pytest.raises(ValueError, match="cannot hold out 9 of 9"):
        hold_out(toy_stamps, count=9, seed=0)


def test_stamps_come_back_as_written(tmp_path: Path, toy_stamps: list[Stamp]) -> None:
    write_stamps(tmp_path / "stamps.jsonl", toy_stamps)
    assert read_stamps(tmp_path / "stamps.jsonl") == toy_stamps


def test_the_real_stamps_are_these(stamps_folder: Path) -> None:
    stamps = select_stamps(stamps_folder)
    assert len(stamps) == 189
    assert len({stamp.concept for stamp in stamps}) == 179
    sentinels = [(stamps[row].id.split("/")[-1], *stamps[row].names.values()) for row in (0, 9, -1)]
    assert sentinels == [
        ("frog-1", "A frog", "Ein Frosch", "Une grenouille", "Žába"),
        ("gander", "A gander", "Ein Gänserich", "Un jars", "Houser"),
        ("wheel_tractor", "A tractor wheel", "Ein Traktorreifen", "Une roue de tracteur", "Kolo od traktoru"),
    ]
