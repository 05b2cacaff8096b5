"""Propositions put into words, in four languages.

Names stay in the nominative, as the stamps give them: templates place them where no language declines them ("Links
eine Ziege, rechts eine Weintraube"). Sizes are said by words that agree with nothing (German adjectives after the
noun, French "en petit", Czech "malé velikosti").
"""

from collections.abc import Mapping, Sequence

import numpy as np

from reranksmart.datasets.composed.propositions import SHOWN, Mention, Proposition

# {a} stands in the relation to {b}. At least three wordings each, so that five captions of a scene that has just one
# true relation (and its converse) still differ.
TEMPLATES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "left of": (
            "{a} left of {b}",
            "{a} to the left of {b}",
            "{a} on the left and {b} on the right",
            "on the left {a}, on the right {b}",
        ),
        "right of": (
            "{a} right of {b}",
            "{a} to the right of {b}",
            "{a} on the right and {b} on the left",
            "on the right {a}, on the left {b}",
        ),
        "above": (
            "{a} above {b}",
            "{a} higher up than {b}",
            "{a} at the top, {b} at the bottom",
            "at the top {a}, at the bottom {b}",
        ),
        "below": (
            "{a} below {b}",
            "{a} lower down than {b}",
            "{a} at the bottom, {b} at the top",
            "at the bottom {a}, at the top {b}",
        ),
    },
    "de": {
        "left of": (
            "links {a}, rechts {b}",
            "{a} links, {b} rechts",
            "{a} und rechts davon {b}",
            "{a}, weiter rechts {b}",
        ),
        "right of": (
            "rechts {a}, links {b}",
            "{a} rechts, {b} links",
            "{a} und links davon {b}",
            "{a}, weiter links {b}",
        ),
        "above": ("oben {a}, unten {b}", "{a} oben, {b} unten", "{a} und darunter {b}", "{a}, weiter unten {b}"),
        "below": ("unten {a}, oben {b}", "{a} unten, {b} oben", "{a} und darüber {b}", "{a}, weiter oben {b}"),
    },
    "fr": {
        "left of": (
            "à gauche {a}, à droite {b}",
            "{a} à gauche, {b} à droite",
            "{a} et, plus à droite, {b}",
            "{a} à gauche et {b} à droite",
        ),
        "right of": (
            "à droite {a}, à gauche {b}",
            "{a} à droite, {b} à gauche",
            "{a} et, plus à gauche, {b}",
            "{a} à droite et {b} à gauche",
        ),
        "above": (
            "en haut {a}, en bas {b}",
            "{a} en haut, {b} en bas",
            "{a} et, plus bas, {b}",
            "{a} en haut et {b} en bas",
        ),
        "below": (
            "en bas {a}, en haut {b}",
            "{a} en bas, {b} en haut",
            "{a} et, plus haut, {b}",
            "{a} en bas et {b} en haut",
        ),
    },
    "cs": {
        "left of": ("vlevo {a}, vpravo {b}", "{a} vlevo, {b} vpravo", "{a} a napravo {b}", "{a}, více vpravo {b}"),
        "right of": ("vpravo {a}, vlevo {b}", "{a} vpravo, {b} vlevo", "{a} a nalevo {b}", "{a}, více vlevo {b}"),
        "above": ("nahoře {a}, dole {b}", "{a} nahoře, {b} dole", "{a} a pod tím {b}", "{a}, níže {b}"),
        "below": ("dole {a}, nahoře {b}", "{a} dole, {b} nahoře", "{a} a nad tím {b}", "{a}, výše {b}"),
    },
}
# Things that are merely shown, {a}; three wordings, as five captions of a scene of two things need.
_LISTS: Mapping[str, tuple[str, ...]] = {
    "en": ("{a}", "in the picture: {a}", "a picture of {a}"),
    "de": ("{a}", "im Bild: {a}", "zu sehen: {a}"),
    "fr": ("{a}", "sur l'image : {a}", "à voir : {a}"),
    "cs": ("{a}", "na obrázku: {a}", "k vidění: {a}"),
}
_AND = {"en": "and", "de": "und", "fr": "et", "cs": "a"}
_THIRD = {
    "en": (", and also {c}", ", with {c} as well"),
    "de": (", dazu {c}", ", außerdem {c}"),
    "fr": (", ainsi que {c}", ", et aussi {c}"),
    "cs": (", a také {c}", ", dále {c}"),
}
_SIZED = {
    "de": {"small": "{name} (klein)", "large": "{name} (groß)"},
    "fr": {"small": "{name} en petit", "large": "{name} en grand"},
    "cs": {"small": "{name} malé velikosti", "large": "{name} velké velikosti"},
}


def phrase(
    propositions: Sequence[Proposition],
    language: str,
    names: Mapping[str, Mapping[str, str]],
    rng: np.random.Generator,
) -> list[str]:
    """A caption for each proposition, all different; ``names`` holds the name by language of each concept.

    Raises ValueError where the language has too few wordings for propositions that repeat.
    """
    captions: list[str] = []
    for proposition in propositions:
        said = [_words(mention, language, names) for mention in proposition.mentions]
        wordings = _LISTS[language] if proposition.relation == SHOWN else TEMPLATES[language][proposition.relation]
        placed = {"a": _list(said, language)} if proposition.relation == SHOWN else dict(zip("ab", said, strict=False))
        ending = ""
        if proposition.relation != SHOWN and proposition.third is not None:
            endings = _THIRD[language]
            ending = endings[rng.integers(len(endings))].format(c=said[2])
        for choice in rng.permutation(len(wordings)):
            text = wordings[choice].format(**placed) + ending
            text = text[:1].upper() + text[1:]
            if text not in captions:
                captions.append(text)
                break
        else:
            raise ValueError(f"{language} has no further wording for {proposition}; give TEMPLATES another.")
    return captions


def _list(things: Sequence[str], language: str) -> str:
    """The things with commas, and a word between the last two."""
    *others, last = things
    return f"{', '.join(others)} {_AND[language]} {last}" if others else last


def _words(mention: Mention, language: str, names: Mapping[str, Mapping[str, str]]) -> str:
    name = in_sentence(names[mention.concept][language], language)
    if mention.size is None:
        return name
    if language == "en":
        article, _, rest = name.partition(" ")
        return f"{'the' if article == 'the' else 'a'} {mention.size} {rest}"
    return _SIZED[language][mention.size].format(name=name)


def in_sentence(name: str, language: str) -> str:
    """The name as it stands inside a sentence: its first word in lower case. Only articles and Czech names start one."""
    return name[:1].lower() + name[1:]
