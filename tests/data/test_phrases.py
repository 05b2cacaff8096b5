"""Captions: different, whole sentences' beginnings, and right in each language."""

from __future__ import annotations

import re

import numpy as np
import pytest

from reranksmart.datasets.composed.phrases import TEMPLATES, phrase
from reranksmart.datasets.composed.propositions import RELATIONS, Mention, Proposition
from reranksmart.datasets.composed.stamps import LANGUAGES

from .conftest import NAMES

BY_CONCEPT = {names[0].casefold(): dict(zip(LANGUAGES, names, strict=True)) for names in NAMES.values()}


@pytest.mark.parametrize(
    ("language", "sized", "third"),
    [
        ("en", "a small owl", "a green bus"),
        ("de", "eine Eule (klein)", "ein grüner Bus"),
        ("fr", "un hibou en petit", "un bus vert"),
        ("cs", "sova malé velikosti", "zelený autobus"),
    ],
)
def test_sizes_and_third_things_are_said_without_inflection(language: str, sized: str, third: str) -> None:
    said = Proposition("left of", Mention("the full moon"), Mention("an owl", "small"), Mention("a green bus"))
    (caption,) = phrase([said], language, BY_CONCEPT, np.random.default_rng(0))
    assert sized in caption
    assert caption.endswith(third) or (language == "en" and caption.endswith(f"{third} as well"))


def test_the_article_follows_the_size_in_english() -> None:
    said = Proposition("above", Mention("the full moon", "large"), Mention("an owl", "large"))
    (caption,) = phrase([said], "en", BY_CONCEPT, np.random.default_rng(0))
    assert "the large full moon" in caption.casefold()
    assert "a large owl" in caption.casefold()


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_fact_and_its_converse_give_five_different_captions(language: str) -> None:
    goat, owl = Mention("a goat"), Mention("an owl")
    facts = [Proposition("left of", goat, owl), Proposition("right of", owl, goat)]
    for seed in range(50):
        captions = phrase([facts[n % 2] for n in range(5)], language, BY_CONCEPT, np.random.default_rng(seed))
        assert len(set(captions)) == 5
        assert all(caption[0].isupper() for caption in captions)


@pytest.mark.parametrize(
    ("language", "listed"),
    [("en", "a goat, a key and a pig"), ("de", "eine Ziege, ein Schlüssel und ein Schwein")],
)
def test_things_that_are_merely_shown_are_listed(language: str, listed: str) -> None:
    said = Proposition("shown", Mention("a goat"), Mention("a key"), Mention("a pig"))
    captions = phrase([said] * 3, language, BY_CONCEPT, np.random.default_rng(0))
    assert len(set(captions)) == 3
    assert all(caption.casefold().endswith(listed.casefold()) for caption in captions)


@pytest.mark.parametrize("language", LANGUAGES)
def test_templates_name_both_things_once_and_tell_relations_apart(language: str) -> None:
    wordings = [wording for relation in RELATIONS for wording in TEMPLATES[language][relation]]
    assert len(set(wordings)) == len(wordings) >= 12
    for wording in wordings:
        assert sorted(re.findall(r"{(\w)}", wording)) == ["a", "b"]
    opposites = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
    for relation, opposite in opposites.items():
        assert not set(TEMPLATES[language][relation]) & set(TEMPLATES[language][opposite])
        # No wording reads both ways: swapped, it would say the opposite in the same words.
        assert not {_swap(wording) for wording in TEMPLATES[language][relation]} & set(TEMPLATES[language][relation])


def _swap(wording: str) -> str:
    return wording.replace("{a}", "{x}").replace("{b}", "{a}").replace("{x}", "{b}")


def test_a_language_out_of_wordings_says_so() -> None:
    same = Proposition("above", Mention("a goat"), Mention("an owl"))
    with pytest.raises(ValueError, match="no further wording"):
        phrase([same] * 5, "de", BY_CONCEPT, np.random.default_rng(0))
