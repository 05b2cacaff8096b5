"""Retrieval runs of the library mteb, re-ranked by a model of ours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reranksmart.searching.building import place_model
from reranksmart.searching.models import RoleModel, RoleModels, as_captions
from reranksmart.values.records import Direction, Ranking


def open_reranker(reranker: str, folder: Path) -> RoleModels:
    """The model of a folder, or of a name on the hub, placed in ``folder``; as ``build_index_folder`` opens one."""
    place_model(reranker, folder, "reranker")
    model = RoleModel.load(folder, max_tokens=70, max_regions=12, tag_tokens=0)
    return RoleModels(model, model)


def candidates(data: Any, scores: Mapping[str, Mapping[str, float]]) -> Ranking:
    """The candidates in the order in which mteb's ``convert_to_reranking`` takes them: equal scores as they stand.

    ``data`` is what mteb holds of one split, ``scores`` what it wrote of a run. ValueError where they do not belong
    together, or where neither captions ask for pictures nor pictures for captions.
    """
    _direction(data)
    corpus = tuple(data["corpus"]["id"])
    row_by_id = {item: row for row, item in enumerate(corpus)}
    asked = tuple(query for query in data["queries"]["id"] if data["relevant_docs"].get(query))
    if lacking := [query for query in asked if not scores.get(query)]:
        raise ValueError(
            f"{len(lacking):,} of {len(asked):,} queries have no candidates, the first is {lacking[0]!r}: mteb would leave "
            "them out of the mean. Retrieve for every query."
        )
    if len(depths := {len(scores[query]) for query in asked}) > 1:
        raise ValueError(f"queries have from {min(depths)} to {max(depths)} candidates; retrieve as many for each.")
    if unknown := {item for query in asked for item in scores[query]} - set(corpus):
        raise ValueError(f"candidate {min(unknown)!r} is not in the task's corpus; name predictions of this task.")
    ordered = [sorted(scores[query].items(), key=lambda found: found[1], reverse=True) for query in asked]
    items = np.array([[row_by_id[item] for item, _ in found] for found in ordered], dtype=np.int32)
    falling = np.arange(items.shape[1], 0, -1, dtype=np.float32)
    return Ranking(asked, corpus, items, np.broadcast_to(falling, items.shape))


def reranked(models: RoleModels, data: Any, before: Ranking, folder: Path, *, k: int) -> Ranking:
    """The first ``k`` candidates of each query in the order of the reranker's scores, the others below them.

    The pictures of ``data`` go into ``folder``.
    """
    way = _direction(data)
    texts, shown = way.pair(data["queries"], data["corpus"])
    looked = models.look(_files(shown, folder)).reranker
    query_row = {id_: row for row, id_ in enumerate(data["queries"]["id"])}
    top = before.items[:, :k]  # rows of the corpus
    queries = np.repeat([query_row[query] for query in before.query_ids], top.shape[1])
    found = models.score(as_captions(texts["text"]), looked, *way.pair(queries, top.ravel()))
    return before.rescored(found.reshape(top.shape))


def _direction(data: Any) -> Direction:
    columns = {name: data[name].column_names for name in ("queries", "corpus")}
    sides = [{"text", "image"} & set(names) for names in columns.values()]
    if sorted(map(sorted, sides)) != [["image"], ["text"]]:
        raise ValueError(
            f"its columns are {columns}, but captions that ask for pictures, or pictures that ask for captions, are what "
            "can be re-ranked here. Name predictions of a task of one of these."
        )
    return Direction.TEXT_TO_IMAGE if sides[0] == {"text"} else Direction.IMAGE_TO_TEXT


def _files(shown: Any, folder: Path) -> list[tuple[str, Path]]:
    """Id and file of each picture in a column of mteb."""
    folder.mkdir(parents=True)
    files = []
    for number, (image_id, picture) in enumerate(zip(shown["id"], shown["image"], strict=True)):
        files.append((image_id, folder / f"{number}.png"))
        picture.convert("RGB").save(files[-1][1])
    return files
