"""Records on disk; every write is all of it or nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonlines
import numpy as np
from numpy.typing import ArrayLike, NDArray

from reranksmart.files.reading import reading, require_uncompressed
from reranksmart.files.writing import atomic_path
from reranksmart.values.records import Captions, Embeddings, Ranking, Relevance
from reranksmart.values.shards import Share


def write_json(path: Path, value: Any) -> None:
    with atomic_path(path) as target:
        target.write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The value of a JSON file; ValueError or FileNotFoundError with its path where there is none."""
    with reading(path):
        return json.loads(path.read_text(encoding="utf-8"))


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with atomic_path(path) as target, jsonlines.open(target, mode="w") as lines:
        lines.write_all(rows)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file; ValueError with file and line where one is not an object."""
    rows: list[dict[str, Any]] = []
    with reading(path, remedy="Mend the file or make it again."), path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                rows.append(_json_object(line, number))
    return rows


def _json_object(line: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number}: not a JSON object ({error})") from error
    if not isinstance(value, dict):
        raise ValueError(f"line {number}: not a JSON object but {line.strip()[:80]!r}")
    return value


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
                f"{path}, line {number}: {missing} missing or not text; a caption has {list(_CAPTION_KEYS)}. Mend the line."
            )
    try:
        return Captions(*(tuple(row[key] for row in rows) for key in _CAPTION_KEYS))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def write_relevance(path: Path, relevance: Relevance) -> None:
    _save(path, caption_ids=relevance.caption_ids, image_ids=relevance.image_ids)


def read_relevance(path: Path) -> Relevance:
    """The relevance in a file of ``write_relevance``; ValueError where it is damaged."""
    with reading(path):
        arrays = _arrays(path, "caption_ids", "image_ids")
        return Relevance(*(_texts(arrays, name) for name in arrays))


def write_embeddings(path: Path, embeddings: Embeddings) -> None:
    _save(path, ids=embeddings.ids, vectors=embeddings.vectors)


def read_embeddings(path: Path) -> Embeddings:
    """The embeddings in a file of ``write_embeddings``; ValueError where it is damaged."""
    with reading(path):
        arrays = _arrays(path, "ids", "vectors")
        return Embeddings(_texts(arrays, "ids"), arrays["vectors"])


def read_embedding_ids(path: Path) -> tuple[str, ...]:
    """The ids in a file of ``write_embeddings``, without its vectors; ValueError where it is damaged."""
    with reading(path):
        return _texts(_arrays(path, "ids"), "ids")


def write_ranking(path: Path, ranking: Ranking) -> None:
    of = ranking
    _save(path, query_ids=of.query_ids, gallery_ids=of.gallery_ids, items=of.items, scores=of.scores)


def read_ranking(path: Path) -> Ranking:
    """The ranking in a file of ``write_ranking``; ValueError where it is damaged."""
    with reading(path):
        arrays = _arrays(path, "query_ids", "gallery_ids", "items", "scores")
        items, scores = arrays["items"], _finite(arrays["scores"], "scores", axes=2)
        gallery = _texts(arrays, "gallery_ids")
        if items.dtype.kind not in "iu" or (items.size and not 0 <= items.min() <= items.max() < len(gallery)):
            raise ValueError(f"items are {items.dtype}; they must be rows of its {len(gallery)} gallery ids")
        queries = _texts(arrays, "query_ids")
        ordered = np.sort(items, axis=1)
        twice = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
        for what, ids in (("query", queries), ("gallery", gallery)):
            if len(set(ids)) < len(ids):
                raise ValueError(f"a {what} id stands in it twice; each stands once")
        if len(twice):
            raise ValueError(f"query {queries[twice[0]]!r} has an item twice; each stands once in a ranking")
        return Ranking(queries, gallery, items, scores)


def write_pair_scores(path: Path, scores: NDArray[np.float32]) -> None:
    with atomic_path(path) as target, target.open("wb") as file:
        np.save(file, scores)


def read_pair_scores(path: Path) -> NDArray[np.float32]:
    """Log-odds (Q, K) float32 of each query with its candidates; ValueError where the file is damaged."""
    with reading(path), path.open("rb") as file:
        return _finite(np.lib.format.read_array(file, allow_pickle=False), "scores", axes=2)


def write_share(path: Path, share: Share) -> None:
    _save(path, rows=share.rows, values=share.values, total=share.total)


def read_share(path: Path) -> Share:
    """What one job of several computed; ValueError where the file is damaged."""
    with reading(path):
        arrays = _arrays(path, "rows", "values", "total")
        rows, values = arrays["rows"], _finite(arrays["values"], "values", axes=arrays["values"].ndim)
        if rows.dtype != np.int64 or rows.ndim != 1 or len(rows) != len(values) or arrays["total"].dtype != np.int64:
            raise ValueError(f"it holds {len(values)} values for rows {rows.dtype} {rows.shape}; each value has a row")
        return Share(rows, values, int(arrays["total"]))


def write_twin_scores(
    path: Path, caption_ids: Sequence[str], *, own: NDArray[np.float32], twin: NDArray[np.float32]
) -> None:
    _save(path, caption_ids=caption_ids, own=own, twin=twin)


def read_twin_scores(path: Path) -> tuple[tuple[str, ...], NDArray[np.float32], NDArray[np.float32]]:
    """Caption ids (N,), and the scores (N,) float32 of each with its own image and with that image's twin."""
    with reading(path):
        arrays = _arrays(path, "caption_ids", "own", "twin")
        ids = _texts(arrays, "caption_ids")
        own, twin = (_finite(arrays[name], name, axes=1) for name in ("own", "twin"))
        if not len(ids) == len(own) == len(twin):
            raise ValueError(f"{len(ids)} captions have {len(own)} and {len(twin)} scores; each has one of both")
        return ids, own, twin


def _save(path: Path, **arrays: ArrayLike) -> None:
    with atomic_path(path) as target, target.open("wb") as file:
        np.savez(file, allow_pickle=False, **{name: np.asarray(array) for name, array in arrays.items()})


def _arrays(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """These arrays of a .npz file that ``numpy.savez`` wrote; nothing in it is unpickled or unpacked."""
    require_uncompressed(path)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in names}


def _texts(arrays: Mapping[str, NDArray[Any]], name: str) -> tuple[str, ...]:
    array = arrays[name]
    if array.ndim != 1 or (array.dtype.kind != "U" and array.size):
        raise ValueError(f"{name} are {array.dtype} {array.shape}; they must be texts (N,)")
    return tuple(array.tolist())


def _finite(array: NDArray[Any], name: str, *, axes: int) -> NDArray[np.float32]:
    if array.ndim != axes or array.dtype != np.float32:
        raise ValueError(f"{name} are {array.dtype} {array.shape}; they must be float32 with {axes} axes")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} hold NaN or infinity; the model that made them diverged")
    return array
