"""Records on disk. Every write lands beside its target and is renamed into place: all of it or nothing."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonlines
import numpy as np

from reranksmart.records import Captions, Embeddings, Ranking, Relevance


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path``, renamed to it on success and removed on failure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_directory(folder: Path) -> Iterator[Path]:
    """A temporary folder beside ``folder`` that takes its place on success and is removed on failure."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        yield temporary
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    with atomic_path(path) as target:
        target.write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text())


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with atomic_path(path) as target, jsonlines.open(target, mode="w") as lines:
        lines.write_all(rows)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file; ValueError with file and line where one is not an object."""
    try:
        with jsonlines.open(path) as lines:
            return list(lines.iter(type=dict))
    except jsonlines.InvalidLineError as error:
        raise ValueError(
            f"{path}, line {error.lineno}: not a JSON object ({error.line!r}). Mend or remove it."
        ) from error


_CAPTION_KEYS = ("id", "text", "image_id", "language")


def write_captions(path: Path, captions: Captions) -> None:
    columns = (captions.ids, captions.texts, captions.image_ids, captions.languages)
    write_jsonl(path, (dict(zip(_CAPTION_KEYS, row, strict=True)) for row in zip(*columns, strict=True)))


def read_captions(path: Path) -> Captions:
    """The captions of a JSON Lines file with the keys id, text, image_id and language on each line."""
    rows = read_jsonl(path)
    for number, row in enumerate(rows, start=1):
        missing = [key for key in _CAPTION_KEYS if not isinstance(row.get(key), str)]
        if missing:
            raise ValueError(
                f"{path}, line {number}: {missing} missing or not text; a caption has {list(_CAPTION_KEYS)}."
            )
    try:
        return Captions(*(tuple(row[key] for row in rows) for key in _CAPTION_KEYS))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_relevance(path: Path, relevance: Relevance) -> None:
    with atomic_path(path) as target, target.open("wb") as file:
        np.savez(file, caption_ids=np.array(relevance.caption_ids), image_ids=np.array(relevance.image_ids))


def read_relevance(path: Path) -> Relevance:
    with np.load(path) as arrays:
        return Relevance(tuple(arrays["caption_ids"].tolist()), tuple(arrays["image_ids"].tolist()))


def write_embeddings(path: Path, embeddings: Embeddings) -> None:
    with atomic_path(path) as target, target.open("wb") as file:
        np.savez(file, ids=np.array(embeddings.ids), vectors=embeddings.vectors)


def read_embeddings(path: Path) -> Embeddings:
    with np.load(path) as arrays:
        return Embeddings(tuple(arrays["ids"].tolist()), arrays["vectors"])


def write_ranking(path: Path, ranking: Ranking) -> None:
    with atomic_path(path) as target, target.open("wb") as file:
        np.savez(
            file,
            query_ids=np.array(ranking.query_ids),
            gallery_ids=np.array(ranking.gallery_ids),
            items=ranking.items,
            scores=ranking.scores,
        )


def read_ranking(path: Path) -> Ranking:
    with np.load(path) as arrays:
        return Ranking(
            tuple(arrays["query_ids"].tolist()),
            tuple(arrays["gallery_ids"].tolist()),
            arrays["items"],
            arrays["scores"],
        )
