import os
import subprocess
import sys

import numpy as np
import pytest

from reranksmart.files import storage
from reranksmart.files.code import code_digest
from reranksmart.values.records import Captions, Embeddings, Ranking, Relevance

CAPTIONS = Captions(("d/1#en0", "d/1#cs0"), ("A goat", "Kůň vlevo"), ("d/1", "d/1"), ("en", "cs"))


def test_records_survive_the_disk(tmp_path):
    vectors = np.eye(3, dtype=np.float32)
    embeddings = Embeddings(("a", "b", "c"), vectors)
    ranking = Ranking(("q",), ("a", "b"), np.array([[1, 0]], np.int32), np.array([[2, 1]], np.float32))
    relevance = Relevance(("c", "c"), ("i", "j"))
    storage.write_captions(tmp_path / "captions.jsonl", CAPTIONS)
    storage.write_embeddings(tmp_path / "e.npz", embeddings)
    storage.write_ranking(tmp_path / "r.npz", ranking)
    storage.write_relevance(tmp_path / "rel.npz", relevance)
    assert storage.read_captions(tmp_path / "captions.jsonl") == CAPTIONS
    assert (storage.read_embeddings(tmp_path / "e.npz").vectors == vectors).all()
    found = storage.read_ranking(tmp_path / "r.npz")
    assert found.query_ids == ranking.query_ids
    assert (found.items == ranking.items).all()
    assert storage.read_relevance(tmp_path / "rel.npz") == relevance


def test_the_same_record_is_the_same_bytes(tmp_path):
    embeddings = Embeddings(("a", "b"), np.eye(2, dtype=np.float32))
    for name in ("one.npz", "two.npz"):
        storage.write_embeddings(tmp_path / name, embeddings)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "value.json"
    storage.write_json(path, {"old": 1})
    with pytest.raises(TypeError):
        storage.write_json(path, {"new": object()})
    assert storage.read_json(path) == {"old": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["value.json"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "a", "text": "x", "image_id": "i"}', r"line 1: \['language'\] missing"),
        ('{"id": "a"', "line 1: not a JSON object"),
        ("[1, 2]", "line 1: not a JSON object"),
        ('{"id": "a", "text": " ", "image_id": "i", "language": "en"}', "caption 'a' is empty"),
    ],
)
def test_a_broken_captions_file_is_named_with_its_line(tmp_path, line, said):
    (tmp_path / "captions.jsonl").write_text(line + "\n")
    with pytest.raises(ValueError, match=said) as error:
        storage.read_captions(tmp_path / "captions.jsonl")
    assert "captions.jsonl" in str(error.value)


def test_texts_are_utf_8_whatever_the_locale(tmp_path):
    """In one that is not, half of the readers would not have understood the writers, nor Python this package."""
    program = """
import locale, sys
from pathlib import Path
from reranksmart.files.code import code_digest
from reranksmart.files.image_store import write_index
from reranksmart.files.region_store import region_index
from reranksmart.files.storage import read_json, write_json
assert locale.getpreferredencoding(False).lower() not in ("utf-8", "utf8")
folder = Path(sys.argv[1])
write_json(folder / "a.json", {"caption": "Bär, медведь, 熊"})
assert read_json(folder / "a.json") == {"caption": "Bär, медведь, 熊"}
write_index(folder, region_index(["mine/Bär.jpg"], []))
print(code_digest("judge"))
"""
    posix = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "POSIX"}
    done = subprocess.run(
        [sys.executable, "-", tmp_path], input=program.encode(), env={**os.environ, **posix}, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "index.json").read_text(encoding="utf-8") == '{"image_ids": ["mine/Bär.jpg"], "label_names": []}'
    assert done.stdout.decode().strip() == code_digest("judge")
