"""Crossmodal-3600 and XTD10, generated small in the published layouts: many languages, one picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reranksmart.datasets.xm3600 import LANGUAGES, Crossmodal3600, read_xm3600
from reranksmart.datasets.xtd10 import LANGUAGES as XTD_LANGUAGES
from reranksmart.datasets.xtd10 import read_xtd10
from reranksmart.values.records import Captions


def record(captions: Captions, row: int) -> tuple[str, str, str, str]:
    return captions.ids[row], captions.texts[row], captions.image_ids[row], captions.languages[row]


@pytest.fixture
def xm3600(tmp_path: Path) -> Path:
    path = tmp_path / "captions.jsonl"
    rows = []
    for place in range(12):
        own = {"image/key": f"{place:016x}", "image/locale": "de"}
        texts = [f"Bild {place}, Satz {number} " for number in range(1 + place % 3)]
        words = {"caption": texts, "caption/tokenized": texts, "caption/tokenized/lowercase": texts}
        rows.append(own | dict.fromkeys(LANGUAGES, words))
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def test_xm3600_is_read_in_its_36_languages_by_either_convention(xm3600: Path) -> None:
    every = read_xm3600(xm3600, languages=LANGUAGES)
    assert len(LANGUAGES) == len(set(every.languages)) == 36
    assert len(every) == 36 * (4 * 1 + 4 * 2 + 4 * 3)
    first = read_xm3600(xm3600, languages=["quz", "de"], first=True)
    assert len(first) == 2 * 12
    assert record(first, 0) == ("xm3600/0000000000000000#quz0", "Bild 0, Satz 0", "xm3600/0000000000000000", "quz")
    assert record(first, 9)[::2] == ("xm3600/0000000000000004#de0", "xm3600/0000000000000004")
    assert record(first, -1)[:2] == ("xm3600/000000000000000b#de0", "Bild 11, Satz 0")
    assert record(every, -1)[0] == "xm3600/000000000000000b#zh2"


def test_what_xm3600_lacks_is_named(xm3600: Path) -> None:
    settings = {"kind": "xm3600", "annotations": str(xm3600), "splits": {"test": {}}}
    with pytest.raises(ValueError, match="language 'ca' is unknown; there are"):
        Crossmodal3600.model_validate({**settings, "languages": ["ca"]})
    with pytest.raises(ValueError, match="split 'train' is 'train' of the publication, which has"):
        Crossmodal3600.model_validate({**settings, "splits": {"train": {}}})
    row = json.loads(xm3600.read_text().splitlines()[0])
    xm3600.write_text(json.dumps({**row, "te": {"caption": []}}))
    with pytest.raises(ValueError, match=r"line 1: the captions in 'te' are \[\]"):
        read_xm3600(xm3600, languages=["te"])


@pytest.fixture
def xtd10(tmp_path: Path) -> Path:
    names = [f"COCO_{'train' if place % 5 else 'val'}2014_{61844 + place:012}.jpg" for place in range(12)]
    folders = {"de": "MIC", "fr": "MIC", "ja": "STAIR"}
    for folder in ("XTD10", "MIC", "STAIR"):
        (tmp_path / folder).mkdir()
    (tmp_path / "XTD10" / "test_image_names.txt").write_text("\n".join(names))
    for language in XTD_LANGUAGES:
        code = {"ja": "jp"}.get(language, language)
        texts = [f"{language} {place}" for place in range(12)]
        path = tmp_path / folders.get(language, "XTD10") / f"test_1kcaptions_{code}.txt"
        path.write_bytes("\r\n".join(texts).encode())  # as some of the published files, without a last line's end
    return tmp_path


def test_xtd10_has_each_picture_once_in_eleven_languages(xtd10: Path) -> None:
    captions = read_xtd10(xtd10, languages=XTD_LANGUAGES)
    assert (len(captions), len(set(captions.image_ids)), len(set(captions.languages))) == (132, 12, 11)
    assert record(captions, 0) == ("xtd10/COCO_val2014_000000061844#en", "en 0", "coco/61844", "en")
    assert record(captions, 9)[1:3] == ("en 9", "coco/61853")
    japanese = read_xtd10(xtd10, languages=["ja"])
    assert record(japanese, -1) == ("xtd10/COCO_train2014_000000061855#ja", "ja 11", "coco/61855", "ja")


def test_a_lost_line_of_xtd10_is_named(xtd10: Path) -> None:
    (xtd10 / "MIC" / "test_1kcaptions_de.txt").write_text("eins\n")
    with pytest.raises(ValueError, match=r"MIC/test_1kcaptions_de\.txt has 1 lines, but .* lists 12 pictures"):
        read_xtd10(xtd10, languages=["de"])
