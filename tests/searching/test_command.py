"""`reranksmart search` and `gallery` on an index that is there."""

import json
import shutil
import sys
from pathlib import Path

import own_pictures
import pytest
from typer.testing import CliRunner, Result

from reranksmart import cli
from reranksmart.cli import verb


@pytest.fixture
def index(world: Path, tmp_path: Path) -> Path:
    """A copy of the index and of its pictures."""
    shutil.copytree(world / "pictures", tmp_path / "pictures")
    copy = shutil.copytree(world / "index", tmp_path / "index")
    for path in copy.rglob("pictures.jsonl"):
        path.write_text(path.read_text().replace(str(world / "pictures"), str(tmp_path / "pictures")))
    return copy


def run(*words: object) -> Result:
    cli.load("search", "gallery")
    return CliRunner().invoke(verb.app, [*map(str, words)])


def answers(*words: object) -> list[dict]:
    done = run("search", "--json", *words)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    return found if isinstance(found, list) else [found]


def test_unquoted_words_are_one_text_and_quoted_ones_several(index: Path, tmp_path: Path) -> None:
    (tmp_path / "texts").write_text("gold\n\na red rectangle\n")
    joined = answers("a", "red", "rectangle", "--index", index)
    several = answers("a red rectangle", "gold", "--queries", tmp_path / "texts", "--index", index)
    ids = [[hit["id"] for hit in found["reranked"]] for found in (*joined, *several)]
    assert len(ids) == 5
    assert ids[0] == ids[1] == ids[4]
    assert ids[2] == ids[3] != ids[0]


def test_a_deleted_picture_is_marked_until_a_refresh_drops_it_with_its_captions(index: Path, tmp_path: Path) -> None:
    """A picture whose file holds another one is dropped, too, and the other one taken in."""
    pictures = tmp_path / "pictures"
    before = {
        hit["id"]: hit["cosine"] for hit in answers("a gold ellipse", "--top", 16, "--index", index)[0]["retrieved"]
    }
    for gone in ("red.png", "ellipses/gold.jpg"):
        (pictures / gone).unlink()
    own_pictures.draw(pictures / "new.png", "cyan", "ellipse")
    told = run("search", "gold", "--top", 16, "--index", index).stdout
    marked = {Path(line.split()[-2]).name for line in told.splitlines() if line.endswith("(deleted)")}
    assert marked == {"red.png", "gold.jpg"}
    assert "gallery --refresh drops them" in told

    refused = run("gallery", "--images", pictures, "--output", index, "--model", tmp_path)
    assert "is an index already. Give --refresh" in str(refused.exception)
    own_pictures.draw(pictures / "green.png", "pink", "ellipse")
    done = run("gallery", "--images", pictures, "--output", index, "--refresh")
    assert done.exit_code == 0, done.output
    assert "3 deleted or changed pictures dropped." in done.stderr
    assert "2 pictures added, 13 were there already; the index has 15 pictures." in done.stderr
    after = {
        hit["id"]: hit["cosine"] for hit in answers("a gold ellipse", "--top", 16, "--index", index)[0]["retrieved"]
    }
    assert set(before) - set(after) == {"pictures/red.png", "pictures/ellipses/gold.jpg"}
    assert set(after) - set(before) == {"pictures/new.png"}
    same = {key for key in set(after) & set(before) if after[key] == pytest.approx(before[key], abs=1e-6)}
    assert set(after) - same == {"pictures/new.png", "pictures/green.png"}
    texts = {
        hit["text"] for hit in answers("--image", pictures / "gold.png", "--top", 16, "--index", index)[0]["reranked"]
    }
    assert len(texts) == 13
    assert not texts & {"a red rectangle", "a gold ellipse", "a green rectangle"}


def test_a_folder_of_pictures_is_not_searched_in_the_index_of_another_one(index: Path, tmp_path: Path) -> None:
    done = run("search", "--pictures", tmp_path / "pictures", "--index", index, "gold")
    assert done.exit_code == 0, done.output
    refused = run("search", "--pictures", tmp_path / "others", "--index", index, "gold")
    assert f"{index} is an index of other pictures than {tmp_path / 'others'}, as " in str(refused.exception)


def test_characters_that_steer_a_terminal_are_not_printed(index: Path, tmp_path: Path) -> None:
    captions = index / "parts" / "0000" / "captions.jsonl"
    captions.write_text(captions.read_text().replace("a red rectangle", "a red\\u001b]0;owned\\u0007 rectangle"))
    told = run("search", "--image", tmp_path / "pictures" / "gold.png", "--top", 16, "--index", index).stdout
    assert "a red\N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER} rectangle" in told
    assert "\x1b" not in told


@pytest.mark.parametrize("text", ["-5 degrees", "-5", "--red car"])
def test_a_text_that_begins_with_a_dash_is_told_where_it_goes(
    text: str, index: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["reranksmart", "search", text, "--index", str(index)])
    with pytest.raises(SystemExit):
        cli.main()
    assert f'search --index FOLDER -- "{text}"' in capsys.readouterr().err
    assert answers("--index", index, "--", text)
