"""Multi30k: Flickr30k with translations (task 1) and independent descriptions (task 2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from reranksmart.datasets.published.annotations import photograph_id
from reranksmart.datasets.published.captions import PublishedCaption, collected
from reranksmart.datasets.published.settings import Published, UsedSplits
from reranksmart.datasets.published.texts import plain_or_gzip, read_lines_beside, read_list, require_known
from reranksmart.values.records import Captions
from reranksmart.values.settings import Place


class Multi30k(Published):
    kind: Literal["multi30k"]
    annotations: Place = Field(description="the folder that holds task1 and task2")
    tasks: dict[Literal["en", "de", "fr", "cs"], Literal[1, 2]] = Field(
        {"en": 2, "de": 2, "fr": 1, "cs": 1},
        description="captions of each language: 1, translations, one an image; 2, independent, five an image",
    )
    splits: UsedSplits

    sizes: ClassVar = {
        **{"train": 29_000, "dev": 1_014, "test_2016": 1_000},
        **{"test_2017": 1_000, "test_2017_mscoco": 461, "test_2018": 1_071},
    }
    terms = (
        "Multi30k is derived from Flickr30k: it is provided for non-commercial research and education only, and use of "
        "the images must abide by the Flickr Terms of Use."
    )

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.tasks)

    def read(self, split: str) -> Captions:
        folder, of = Path(self.annotations), self.published_name(split)
        tasks = self.tasks.items()
        return Captions.concatenated(
            read_multi30k(folder, task=task, split=of, languages=[language]) for language, task in tasks
        )

    def captions_each(self, language: str) -> int:
        return 1 if (language, 1) in self.tasks.items() else 5

    @model_validator(mode="after")
    def _has_tasks(self) -> Self:
        if not self.tasks:
            raise ValueError("tasks is empty; name a language with its task, as {en: 2}")
        return self


@dataclass(frozen=True)
class _Files:
    """How the published files of a split are named: those with captions, the list of images, and its languages."""

    captions: str
    images: str
    languages: tuple[str, ...]
    captions_per_image: int


_ALL = ("en", "de", "fr", "cs")
_SPLITS = {
    1: {
        "train": _Files("train", "train", _ALL, 1),
        "dev": _Files("val", "val", _ALL, 1),
        "test_2016": _Files("test_2016_flickr", "test_2016_flickr", _ALL, 1),
        "test_2017": _Files("test_2017_flickr", "test_2017_flickr", ("en", "de", "fr"), 1),
        "test_2017_mscoco": _Files("test_2017_mscoco", "test_2017_mscoco", ("en", "de", "fr"), 1),
        "test_2018": _Files("test_2018_flickr", "test_2018_flickr", _ALL, 1),
    },
    2: {
        "train": _Files("train", "train_images", ("en", "de"), 5),
        "dev": _Files("val", "val_images", ("en", "de"), 5),
        "test_2016": _Files("test_2016", "test_2016_images", ("en", "de"), 5),
    },
}
SPLITS = {task: tuple(splits) for task, splits in _SPLITS.items()}
# The pictures of these splits were taken for Multi30k; all others are Flickr30k's or COCO's.
_OWN_PICTURES = ("test_2017", "test_2018")


@collected
def read_multi30k(folder: Path, *, task: int, split: str, languages: Sequence[str]) -> Iterator[PublishedCaption]:
    """The captions of a split in these languages: all of the first, then all of the second, in the list's order.

    Task 1 has one caption an image in each of en, de, fr and cs, translations of each other; task 2 has five in each of
    en and de, written apart. Files are read plain or with ``.gz``. A picture has the id that it has in Flickr30k or
    COCO, so that captions in several languages are captions of one image and shared images are found.
    """
    files = _files(task, split)
    for language in languages:
        require_known(language, files.languages, f"language of task {task}, {split}:")
    pictures = _read_pictures(folder, task, split)
    for language in languages:
        versions = range(1, files.captions_per_image + 1)
        endings = [f"{version}.{language}" for version in versions] if task == 2 else [language]
        paths = [plain_or_gzip(folder / f"task{task}" / "raw" / f"{files.captions}.{ending}") for ending in endings]
        texts = [read_lines_beside(path, len(pictures), f"{files.images}.txt") for path in paths]
        for row, (name, image_id) in enumerate(pictures.items()):
            for number, path in enumerate(paths):
                caption_id, place = f"multi30k/task{task}/{name}#{language}{number}", f"{path}, line {row + 1}"
                yield PublishedCaption(caption_id, texts[number][row], image_id, language, place)


def read_multi30k_list(folder: Path, *, task: int, split: str) -> list[str]:
    """The image ids of a split, in the order of its list."""
    return list(_read_pictures(folder, task, split).values())


def _read_pictures(folder: Path, task: int, split: str) -> dict[str, str]:
    """The image id of each picture's name, in the order of the list."""
    path = plain_or_gzip(folder / f"task{task}" / "image_splits" / f"{_files(task, split).images}.txt")
    pictures = {}
    for line, entry in enumerate(read_list(path), start=1):
        name, ending, _ = entry.partition(".jpg")  # "COCO_val2014_000000398076.jpg#657409": the number of a caption
        if not ending:
            raise ValueError(f"{path}, line {line}: {entry!r} names no .jpg picture. Mend the line.")
        if name in pictures:
            raise ValueError(f"{path}, line {line}: picture {name!r} is listed already. Remove one of the two.")
        own = split in _OWN_PICTURES
        pictures[name] = f"multi30k/{name}" if own else photograph_id(name, place=f"{path}, line {line}")
    return pictures


def _files(task: int, split: str) -> _Files:
    require_known(task, _SPLITS, "task")
    require_known(split, _SPLITS[task], f"split of task {task}:")
    return _SPLITS[task][split]
