"""Multi30k's two tasks, generated small in the published layout."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from reranksmart.datasets.multi30k import SPLITS, read_multi30k, read_multi30k_list
from reranksmart.datasets.published.captions import first_images
from reranksmart.values.records import Captions, Direction

IMAGES = {
    "train": [str(1000092795 + 7 * place) for place in range(12)],
    "val": ["100652400", "101958970"],
    "test_2016": ["1007129816", "1009434119", "101362133"],
    "test_2017": ["22439193117_4183a49ec2", "24955677320_6f80a952e4"],
    "test_2018": ["11832916064_229e7bd246"],
    "test_2017_mscoco": ["COCO_train2014_000000117071", "COCO_val2014_000000398076"],
}
ALL, THREE, TWO = ("en", "de", "fr", "cs"), ("en", "de", "fr"), ("en", "de")
TASK_1 = {
    "train": ("train", ALL),
    "val": ("val", ALL),
    "test_2016_flickr": ("test_2016", ALL),
    "test_2017_flickr": ("test_2017", THREE),
    "test_2017_mscoco": ("test_2017_mscoco", THREE),
    "test_2018_flickr": ("test_2018", ALL),
}


def record(captions: Captions, row: int) -> tuple[str, str, str, str]:
    return captions.ids[row], captions.texts[row], captions.image_ids[row], captions.languages[row]


def write(path: Path, lines: list[str], *, packed: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = "".join(f"{line}\n" for line in lines).encode()
    if packed:
        path = path.with_name(f"{path.name}.gz")
        content = gzip.compress(content)
    path.write_bytes(content)


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def multi30k(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    for name, (split, languages) in TASK_1.items():
        images = IMAGES[split]
        mark = "#367178" if split == "test_2017_mscoco" else ""
        write(tmp_path / "task1" / "image_splits" / f"{name}.txt", [f"{image}.jpg{mark}" for image in images])
        for language in languages:
            lines = [f"{language} Übersetzung {image}" for image in images]
            write(tmp_path / "task1" / "raw" / f"{name}.{language}", lines, packed=request.param)
    for name in ("train", "val", "test_2016"):
        images = IMAGES[name]
        write(tmp_path / "task2" / "image_splits" / f"{name}_images.txt", [f"{image}.jpg" for image in images])
        for language in TWO:
            for version in range(1, 6):
                lines = [f"{language} Satz {version} {image}" for image in images]
                write(tmp_path / "task2" / "raw" / f"{name}.{version}.{language}", lines, packed=request.param)
    return tmp_path


def test_task_1_has_a_caption_an_image_in_each_language(multi30k: Path) -> None:
    captions = read_multi30k(multi30k, task=1, split="train", languages=ALL)
    assert len(captions) == 4 * 12
    first, tenth, last = (IMAGES["train"][place] for place in (0, 9, -1))
    assert record(captions, 0) == (
        f"multi30k/task1/{first}#en0",
        f"en Übersetzung {first}",
        f"flickr30k/{first}",
        "en",
    )
    assert record(captions, 9)[0] == f"multi30k/task1/{tenth}#en0"
    assert record(captions, -1) == (f"multi30k/task1/{last}#cs0", f"cs Übersetzung {last}", f"flickr30k/{last}", "cs")


def test_task_2_has_five_captions_an_image_in_each_language(multi30k: Path) -> None:
    captions = read_multi30k(multi30k, task=2, split="test_2016", languages=TWO)
    assert len(captions) == 2 * 5 * 3
    assert record(captions, 0) == (
        "multi30k/task2/1007129816#en0",
        "en Satz 1 1007129816",
        "flickr30k/1007129816",
        "en",
    )
    assert record(captions, 9) == (
        "multi30k/task2/1009434119#en4",
        "en Satz 5 1009434119",
        "flickr30k/1009434119",
        "en",
    )
    assert record(captions, -1) == ("multi30k/task2/101362133#de4", "de Satz 5 101362133", "flickr30k/101362133", "de")


def test_every_split_of_every_year_is_read(multi30k: Path) -> None:
    published = {"dev": "val"}
    for task, splits in SPLITS.items():
        for split in splits:
            captions = read_multi30k(multi30k, task=task, split=split, languages=["en", "de"])
            images = IMAGES[published.get(split, split)]
            assert len(captions) == len(images) * 2 * (5 if task == 2 else 1), (task, split)
            listed = read_multi30k_list(multi30k, task=task, split=split)
            assert list(dict.fromkeys(captions.image_ids)) == listed


def test_a_photograph_has_the_id_of_the_dataset_that_published_it(multi30k: Path) -> None:
    assert read_multi30k_list(multi30k, task=1, split="test_2017_mscoco") == ["coco/117071", "coco/398076"]
    assert read_multi30k_list(multi30k, task=1, split="test_2018") == ["multi30k/11832916064_229e7bd246"]
    assert read_multi30k_list(multi30k, task=2, split="dev") == ["flickr30k/100652400", "flickr30k/101958970"]


def test_both_tasks_together_have_no_id_twice(multi30k: Path) -> None:
    both = [read_multi30k(multi30k, task=task, split="train", languages=["en"]) for task in (1, 2)]
    assert not set(both[0].ids) & set(both[1].ids)
    assert set(both[0].image_ids) == set(both[1].image_ids)


@pytest.mark.parametrize("multi30k", [False], indirect=True)
def test_windows_line_ends_and_a_mark_of_byte_order_change_nothing(multi30k: Path) -> None:
    before = read_multi30k(multi30k, task=1, split="train", languages=ALL)
    for path in multi30k.rglob("*train*"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    assert read_multi30k(multi30k, task=1, split="train", languages=ALL) == before


@pytest.mark.parametrize("multi30k", [False], indirect=True)
@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x0b", "\x1c"])
def test_a_caption_may_hold_what_unicode_calls_a_line_break(multi30k: Path, separator: str) -> None:
    write(multi30k / "task1" / "raw" / "val.en", [f"one{separator}two", "three"])
    captions = read_multi30k(multi30k, task=1, split="dev", languages=["en"])
    assert captions.texts == (f"one{separator}two", "three")


@pytest.mark.parametrize("multi30k", [False], indirect=True)
@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("raw/val.de", b"eins\n", r"raw/val\.de has 1 lines, but val\.txt lists 2 pictures.* as many"),
        ("raw/val.de", b"eins\nzwei\ndrei\n", r"raw/val\.de has 3 lines"),
        ("raw/val.de", b"eins\nzwei\n\n", r"raw/val\.de has 3 lines"),
        ("raw/val.de", b"eins\n \n", r"raw/val\.de, line 2: the caption is empty"),
        ("raw/val.de", b"eins\nzw\xfcei\n", r"raw/val\.de, line 2: byte 0xfc is not UTF-8"),
        ("raw/val.de", None, r"neither .*raw/val\.de nor val\.de\.gz exists"),
        ("image_splits/val.txt", None, r"neither .*val\.txt nor val\.txt\.gz exists"),
        ("image_splits/val.txt", b"1.jpg\n1.jpg\n", r"val\.txt, line 2: '1\.jpg' stands on line 1 already"),
        ("image_splits/val.txt", b"1.jpg#1\n1.jpg#2\n", r"val\.txt, line 2: picture '1' is listed already"),
        ("image_splits/val.txt", b"1.jpg\n2\n", r"val\.txt, line 2: '2' names no \.jpg picture"),
        ("image_splits/val.txt", b"1.jpg\nx.jpg\n", r"val\.txt, line 2: 'x' is neither a number"),
    ],
)
def test_a_fault_is_named(multi30k: Path, file: str, content: bytes | None, said: str) -> None:
    path = multi30k / "task1" / file
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        read_multi30k(multi30k, task=1, split="dev", languages=["en", "de"])


@pytest.mark.parametrize("cut", [0, 10, -9])
@pytest.mark.parametrize("multi30k", [True], indirect=True)
def test_a_packed_file_that_is_cut_off_is_named(multi30k: Path, cut: int) -> None:
    path = multi30k / "task1" / "raw" / "train.en.gz"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"train\.en\.gz (cannot be unpacked .* cut off|has 0 lines)"):
        read_multi30k(multi30k, task=1, split="train", languages=["en"])


@pytest.mark.parametrize("multi30k", [False], indirect=True)
@pytest.mark.parametrize(
    ("task", "split", "language", "said"),
    [
        (3, "train", "en", r"task 3 is unknown; there are \[1, 2\]"),
        (1, "val", "en", "split of task 1: 'val' is unknown; there are"),
        (2, "test_2017", "en", r"split of task 2: 'test_2017' is unknown; there are \['train', 'dev', 'test_2016'\]"),
        (2, "train", "fr", r"language of task 2, train: 'fr' is unknown; there are \['en', 'de'\]"),
        (1, "test_2017", "cs", r"language of task 1, test_2017: 'cs' is unknown"),
    ],
)
def test_what_is_not_published_is_named(multi30k: Path, task: int, split: str, language: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_multi30k(multi30k, task=task, split=split, languages=[language])


@pytest.mark.parametrize("multi30k", [False], indirect=True)
def test_dev_is_read_after_train_and_again(multi30k: Path) -> None:
    """The published code finds a split in the one call only that makes its file; from then on it fails."""
    for _ in range(2):
        assert len(read_multi30k(multi30k, task=2, split="train", languages=["de"])) == 60
        assert len(read_multi30k(multi30k, task=2, split="dev", languages=["de"])) == 10
        assert len(read_multi30k(multi30k, task=1, split="dev", languages=["de"])) == 2


@pytest.mark.parametrize("multi30k", [False], indirect=True)
def test_captions_keep_the_order_of_languages_and_list(multi30k: Path) -> None:
    """The published code takes them from sets, whose order changes with every run."""
    captions = read_multi30k(multi30k, task=1, split="train", languages=["fr", "en"])
    assert captions.languages == ("fr",) * 12 + ("en",) * 12
    assert captions.image_ids == tuple(f"flickr30k/{image}" for image in IMAGES["train"]) * 2


@pytest.mark.parametrize("multi30k", [False], indirect=True)
def test_languages_apart_and_together_have_the_relevance_of_their_own_captions(multi30k: Path) -> None:
    """The published code looks up captions of all languages where it was asked for one, and fails."""
    together = read_multi30k(multi30k, task=1, split="dev", languages=ALL)
    for language in ALL:
        apart = read_multi30k(multi30k, task=1, split="dev", languages=[language])
        assert apart == together.in_languages([language])
        positives = apart.relevance().items_by_query(Direction.IMAGE_TO_TEXT)
        assert positives["flickr30k/100652400"] == {f"multi30k/task1/100652400#{language}0"}
    positives = together.relevance().items_by_query(Direction.IMAGE_TO_TEXT)
    assert positives["flickr30k/100652400"] == {f"multi30k/task1/100652400#{language}0" for language in ALL}


@pytest.mark.parametrize("multi30k", [False], indirect=True)
def test_the_first_k_images_are_k_in_every_language(multi30k: Path) -> None:
    small = first_images(read_multi30k(multi30k, task=2, split="train", languages=TWO), 4)
    assert len(small) == 4 * 5 * 2
    assert list(dict.fromkeys(small.image_ids)) == [f"flickr30k/{image}" for image in IMAGES["train"][:4]]
