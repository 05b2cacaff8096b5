"""Each row of the table of published files is a source that can be fetched, or is named."""

from pathlib import Path

import pytest

from reranksmart.datasets import terms
from reranksmart.datasets.fetched.sources import Source, read_sources

SHA256 = f"sha256:{'0f' * 32}"
HEADER = "asset,file,urls,bytes,checksum,checksum_from,terms,licence,licence_page,state,state_date\n"
ROW = f"toys,toys/a.bin,https://a.org/a http://b.org/a,12,{SHA256},published,flickr30k,CC0,https://a.org,dead,2023-09\n"


def test_a_row_of_the_table_becomes_a_source(tmp_path: Path) -> None:
    path = tmp_path / "sources.csv"
    path.write_text(HEADER + ROW)
    urls = ("https://a.org/a", "http://b.org/a")
    wanted = Source("toys", "toys/a.bin", urls, 12, SHA256, "flickr30k", "CC0", "https://a.org", "dead (2023-09)")
    assert read_sources(path) == {"toys/a.bin": wanted}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("toys/a.bin", "../a.bin", "below the download folder"),
        ("toys/a.bin", "/a.bin", "below the download folder"),
        ("https://a.org/a http://b.org/a", "", "one or more http"),
        ("http://b.org/a", "file:///etc/passwd", "one or more http"),
        (",12,", ",many,", "bytes must be a number"),
        (SHA256, "sha256:12", "a checksum is md5"),
        ("flickr30k", "mine", "terms 'mine' are unknown"),
        (",https://a.org,", ",,", "page of the licence"),
        (",2023-09\n", "\n", "10 fields, not 11"),
        ("2023-09\n", f"2023-09\n{ROW}", "listed twice"),
    ],
)
def test_a_bad_row_of_the_table_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "sources.csv"
    path.write_text(HEADER + ROW.replace(old, new))
    with pytest.raises(ValueError, match=rf"sources\.csv, line \d.*{said}"):
        read_sources(path)


def test_the_table_holds_every_file_of_the_datasets_with_what_is_published_of_it() -> None:
    sources = read_sources()
    assert sources["coco/coco_karpathy_test.json"].checksum == "md5:3ff34b0ef2db02d01c37399f6a2a6cd1"
    assert sources["coco/train2014.zip"].size == 13_510_573_713
    assert sources["models/frcnn-vg-finetuned/pytorch_model.bin"].size == 262_398_754
    multi30k = [source for source in sources.values() if source.asset == "multi30k"]
    assert len([one for one in multi30k if "/raw/" in one.file]) == 22 + 30
    assert all(one.checksum and one.size and one.terms == "multi30k" for one in multi30k)
    flickr = [source for source in sources.values() if source.file.startswith("flickr30k")]
    assert {one.terms for one in flickr} == {"flickr30k"}
    assert set(terms()) == {one.terms for one in sources.values() if one.terms}
