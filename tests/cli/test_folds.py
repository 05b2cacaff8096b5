"""Folds: queries of several galleries measured together, as COCO's 1k."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.files.storage import write_captions, write_json, write_ranking, write_relevance
from reranksmart.values.records import Captions, Direction, Ranking

load("evaluate")

KEYS = {"backbone": "b", "training_set": "t", "system": "s", "seed": 1, "test_set": "x"}


def write_fold(folder: Path, name: str, *, right: int) -> dict[str, Path]:
    """A gallery of 12 images with a caption each, of which ``right`` are ranked first by the retriever."""
    images = tuple(f"{name}/{number}" for number in range(12))
    captions = Captions(tuple(f"{image}#0" for image in images), images, images, ("en",) * 12)
    places = {kind: folder / name / kind for kind in ("data", "ranking", "scores")}
    for place in places.values():
        place.mkdir(parents=True)
    write_captions(places["data"] / "captions.jsonl", captions)
    write_relevance(folder / name / "relevance.npz", captions.relevance())
    write_json(places["ranking"] / "provenance.json", {"verb": "retrieve"})
    items = np.array([np.roll(np.arange(12), -row if row < right else 1 - row) for row in range(12)], dtype=np.int32)
    scores = np.tile(np.arange(12, 0, -1, dtype=np.float32), (12, 1))
    for way in Direction:
        queries, gallery = way.pair(captions.ids, images)
        write_ranking(places["ranking"] / f"en.{way}.npz", Ranking(queries, gallery, items, scores))
        log_odds = (items[:, :3] == np.arange(12)[:, None]).astype(np.float32)  # the reranker knows the right item
        np.save(places["scores"] / f"en.{way}.npy", log_odds)
    return {**places, "relevance": folder / name / "relevance.npz"}


def evaluated(folds: list[dict[str, Path]], output: Path, *, rerank: bool) -> pd.Series:
    arguments = ["evaluate", "--experiment", json.dumps(KEYS), "--languages", "en", "--resamples", "20"]
    for fold in folds:
        arguments += ["--ranking", str(fold["ranking"]), "--data", str(fold["data"])]
        arguments += ["--relevance", str(fold["relevance"])]
        arguments += ["--pair-scores", str(fold["scores"])] if rerank else []
    arguments += ["--depths", "3"] if rerank else []
    arguments += ["--gallery", ",".join(fold["data"].parent.name + ".test" for fold in folds), "--output", str(output)]
    done = CliRunner().invoke(app, arguments)
    if done.exception is not None:
        raise done.exception
    table = pd.read_csv(output / "measures.csv")
    return table[table["direction"] == "text-to-image"].set_index("measure")


def test_folds_of_one_size_give_the_mean_over_the_folds(tmp_path: Path) -> None:
    folds = [write_fold(tmp_path, "a", right=12), write_fold(tmp_path, "b", right=3)]
    alone = [evaluated([fold], tmp_path / f"alone{place}", rerank=False)["value"] for place, fold in enumerate(folds)]
    together = evaluated(folds, tmp_path / "together", rerank=False)
    for measure in ("R@1", "MRR@10", "nDCG@10"):
        assert together["value"][measure] == pytest.approx((alone[0][measure] + alone[1][measure]) / 2)
    assert alone[0]["R@1"] == 100 > together["value"]["R@1"] > alone[1]["R@1"]
    assert (together.loc["R@1", "queries"], together.loc["R@1", "images"]) == (24, 24)


def test_each_fold_is_re_ranked_by_its_own_scores(tmp_path: Path) -> None:
    folds = [write_fold(tmp_path, "a", right=12), write_fold(tmp_path, "b", right=3)]
    together = evaluated(folds, tmp_path / "together", rerank=True)
    assert together.loc["R@1", "value"] == 100
    assert together.loc["R@1", "pairs_scored"] == 2 * 12 * 3
