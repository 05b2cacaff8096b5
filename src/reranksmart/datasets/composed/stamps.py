"""The stamps that scenes are made of: photographs with a name in each of four languages."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reranksmart.datasets.composed.cutouts import is_photograph, read_cutout
from reranksmart.files.reading import reading
from reranksmart.files.storage import read_jsonl, write_jsonl

LANGUAGES = ("en", "de", "fr", "cs")
MOST_WORDS = 5
SHORTEST_LONG_SIDE = 90
LARGEST_ASPECT = 4.0
_LARGEST_SIDE = 100_000
UNSEEN_STAMPS = 36

# A name is an article and a noun; what starts otherwise is a sentence, a proper name or a sign's text. Czech has none.
_ARTICLES = {
    "en": re.compile(r"(an?|the) ", re.IGNORECASE),
    "de": re.compile(r"(eine?|der|die|das) ", re.IGNORECASE),
    "fr": re.compile(r"(une?|le|la|des|du|de la) |(l|de l)['’]", re.IGNORECASE),
    "cs": re.compile(r""),
}
_SIZE_WORDS = re.compile(
    r"\b(small|little|tiny|big|large|klein\w*|groß\w*|petite?s?|grande?s?|gros|grosse|mal[áýé]|velk[áýé])\b",
    re.IGNORECASE,
)
_NO_NAME = re.compile(r"[!?:;,—\"“”«»\d]|\. |(^|\s)['’]")
_VOWEL_SOUND = re.compile(r"(?!eu|one|uni|use)[aeiou]|heir|honest|hour", re.IGNORECASE)
_ASIDE = re.compile(r"\s*\([^)]*\)|\s+-\s.*$")  # "A peacock (a male peafowl)", "Květ - kaly"
_DRAWINGS = {"cartoon", "easter", "symbols"}  # themes that hold no photograph of a thing


@dataclass(frozen=True)
class Stamp:
    """A photograph cut out of its background. ``width`` and ``height`` are its visible part's, in pixels."""

    id: str
    path: Path
    names: Mapping[str, str]
    width: int
    height: int

    @property
    def concept(self) -> str:
        """What all stamps of one name share: the case-folded English name. Others translate one to one."""
        return self.names["en"].casefold()


def clean_name(text: str) -> str:
    """The text without asides, final punctuation and doubled spaces."""
    return re.sub(r"\s+", " ", re.sub(r"[\s.!?…。|]+$", "", _ASIDE.sub("", text.strip()))).strip()


def in_english(name: str) -> str:
    """The English name with the article that its sound asks for and a capital where the names forgot it."""
    first, space, rest = name.replace(" european", " European").partition(" ")
    if first.lower() in ("a", "an"):
        first = first[0] + ("n" if _VOWEL_SOUND.match(rest) else "")
    return first + space + rest


def read_names(path: Path) -> dict[str, str]:
    """The names of a stamp by language: the first line is English, each other one ``language.utf8=name``."""
    with reading(path, remedy="Fetch the stamps again."):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    names = {"en": lines[0]}
    for line in lines[1:]:
        language, _, name = line.partition(".utf8=")
        if language in LANGUAGES[1:]:
            names[language] = name
    cleaned = {language: clean_name(name) for language, name in names.items()}
    cleaned["en"] = in_english(cleaned["en"])
    return {language: cleaned[language] for language in LANGUAGES if cleaned.get(language)}


def is_name(text: str, language: str) -> bool:
    """Whether the text names a thing in at most five words, without a word of size (which captions add)."""
    return (
        len(text.split()) <= MOST_WORDS
        and _ARTICLES[language].match(text) is not None
        and _NO_NAME.search(text) is None
        and _SIZE_WORDS.search(text) is None
    )


def select_stamps(folder: Path) -> list[Stamp]:
    """The stamps of ``folder`` that are photographs and well named in all four languages, in the order of their files.

    Names translate one to one: a stamp whose name in one language is another stamp's, but not in all ("Un canard" is
    a duck and a drake), is left out, so that a caption is true of the same scenes in every language. Of stamps with
    the same pixels the first stays.
    """
    stamps: list[Stamp] = []
    translations: dict[tuple[str, str], tuple[str, ...]] = {}
    contents: set[bytes] = set()
    for path in sorted(folder.rglob("*.png")):
        stamp_id = path.relative_to(folder).with_suffix("").as_posix()
        named = path.with_suffix(".txt")
        if not named.exists() or _DRAWINGS & set(stamp_id.split("/")):
            continue
        names = read_names(named)
        if set(names) != set(LANGUAGES) or not all(is_name(names[language], language) for language in LANGUAGES):
            continue
        cutout = read_cutout(path)
        height, width = cutout.shape[:2]
        long_side, short_side = max(height, width), min(height, width)
        if long_side <= SHORTEST_LONG_SIDE or long_side > LARGEST_ASPECT * short_side or not is_photograph(cutout):
            continue
        folded = tuple(names[language].casefold() for language in LANGUAGES)
        keys = list(zip(LANGUAGES, folded, strict=True))
        if any(translations.get(key, folded) != folded for key in keys) or cutout.tobytes() in contents:
            continue
        translations.update(dict.fromkeys(keys, folded))
        contents.add(cutout.tobytes())
        stamps.append(Stamp(stamp_id, path, names, width, height))
    if not stamps:
        raise ValueError(f"{folder} holds no usable stamp; fetch the stamps first (rule fetch_stamps).")
    return stamps


def hold_out(stamps: Sequence[Stamp], *, count: int, seed: int) -> tuple[list[Stamp], list[Stamp]]:
    """Seen and unseen stamps: at least ``count`` are held out, whole names at a time, drawn by ``seed``."""
    concepts = sorted({stamp.concept for stamp in stamps})
    by_concept = {concept: [stamp for stamp in stamps if stamp.concept == concept] for concept in concepts}
    if not 0 <= count < len(stamps):
        raise ValueError(f"cannot hold out {count} of {len(stamps)} stamps; 0 to {len(stamps) - 1} are possible.")
    unseen: set[str] = set()
    for concept in np.random.default_rng(seed).permutation(np.array(concepts)).tolist():
        if len(unseen) >= count:
            break
        unseen.update(stamp.id for stamp in by_concept[concept])
    return [stamp for stamp in stamps if stamp.id not in unseen], [stamp for stamp in stamps if stamp.id in unseen]


def seen_and_unseen(path: Path, *, seed: int) -> tuple[list[Stamp], list[Stamp]]:
    """The stamps in a file of ``write_stamps`` that any split may show, and those that only split ``unseen`` shows."""
    return hold_out(read_stamps(path), count=UNSEEN_STAMPS, seed=seed)


def write_stamps(path: Path, stamps: Iterable[Stamp]) -> None:
    write_jsonl(
        path,
        (
            {"id": s.id, "path": str(s.path), "names": dict(s.names), "width": s.width, "height": s.height}
            for s in stamps
        ),
    )


def read_stamps(path: Path) -> list[Stamp]:
    """The stamps in a file of ``write_stamps``; ValueError with the line that lacks something."""
    stamps = []
    for line, row in enumerate(read_jsonl(path), start=1):
        with reading(path, remedy=f"See line {line}; delete the file to have rule fetch_stamps make it again."):
            stamp = Stamp(row["id"], Path(row["path"]), row["names"], row["width"], row["height"])
            if not all(isinstance(side, int) and 0 < side < _LARGEST_SIDE for side in (stamp.width, stamp.height)):
                raise ValueError(f"a stamp is {stamp.width} x {stamp.height} pixels")
            if not (isinstance(stamp.id, str) and all(isinstance(stamp.names[code], str) for code in stamp.names)):
                raise ValueError(f"stamp {stamp.id!r} is named {stamp.names}")
            stamps.append(stamp)
    return stamps
