"""What `evaluate` measures: every query of each gallery, folds together as COCO's 1k; or why it does not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.files.storage import read_ranking, write_captions, write_ranking, write_relevance
from reranksmart.values.records import Captions, Direction, Ranking

load("evaluate", "evaluate-absence")

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
    items = np.array([np.roll(np.arange(12), -row if row < right else 1 - row) for row in range(12)], dtype=np.int32)
    scores = np.tile(np.arange(12, 0, -1, dtype=np.float32), (12, 1))
    for way in Direction:
        queries, gallery = way.pair(captions.ids, images)
        write_ranking(places["ranking"] / f"en.{way}.npz", Ranking(queries, gallery, items, scores))
        log_odds = (items[:, :3] == np.arange(12)[:, None]).astype(np.float32)  # the reranker knows the right item
        np.save(places["scores"] / f"en.{way}.npy", log_odds)
    return {**places, "relevance": folder / name / "relevance.npz"}


def evaluated(folds: list[dict[str, Path]], output: Path, *, rerank: bool, depths: str = "3") -> pd.Series:
    arguments = ["evaluate", "--experiment", json.dumps(KEYS), "--languages", "en", "--resamples", "20"]
    for fold in folds:
        arguments += ["--ranking", str(fold["ranking"]), "--data", str(fold["data"])]
        arguments += ["--relevance", str(fold["relevance"])]
        arguments += ["--pair-scores", str(fold["scores"])] if rerank else []
    arguments += ["--depths", depths] if rerank else []
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


def test_a_ranking_that_lacks_queries_is_refused_and_not_measured_without_them(tmp_path: Path) -> None:
    fold = write_fold(tmp_path, "a", right=5)
    for way in Direction:
        path = fold["ranking"] / f"en.{way}.npz"
        whole = read_ranking(path)
        write_ranking(path, Ranking(whole.query_ids[:5], whole.gallery_ids, whole.items[:5], whole.scores[:5]))
    with pytest.raises(ValueError, match=r"lacks 7 of 12 text-to-image queries, the first is 'a/10#0'"):
        evaluated([fold], tmp_path / "out", rerank=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("depths", ["4", "20", "3,12"])
def test_a_depth_beyond_the_scores_is_refused(tmp_path: Path, depths: str) -> None:
    with pytest.raises(ValueError, match=r"log-odds \(12, 3\).*Measure a depth that was scored"):
        evaluated([write_fold(tmp_path, "a", right=5)], tmp_path / "out", rerank=True, depths=depths)


def test_scores_of_other_queries_than_the_candidates_are_refused(tmp_path: Path) -> None:
    fold = write_fold(tmp_path, "a", right=5)
    for way in Direction:
        np.save(fold["scores"] / f"en.{way}.npy", np.zeros((11, 3), np.float32))
    with pytest.raises(ValueError, match=r"log-odds \(11, 3\).*needs \(12, 3\)"):
        evaluated([fold], tmp_path / "out", rerank=True)


def test_one_fold_twice_is_refused(tmp_path: Path) -> None:
    fold = write_fold(tmp_path, "a", right=5)
    with pytest.raises(ValueError, match=r"'a/0#0' is in two folds"):
        evaluated([fold, fold], tmp_path / "out", rerank=False)


def test_an_item_twice_in_a_ranking_is_refused(tmp_path: Path) -> None:
    fold = write_fold(tmp_path, "a", right=5)
    path = fold["ranking"] / f"en.{Direction.TEXT_TO_IMAGE}.npz"
    with np.load(path) as arrays:
        kept = dict(arrays)
    kept["items"][3, 1] = kept["items"][3, 0]
    np.savez(path, **kept)
    with pytest.raises(ValueError, match=r"query 'a/3#0' has an item twice"):
        evaluated([fold], tmp_path / "out", rerank=False)


def test_an_interval_of_no_draw_is_refused() -> None:
    done = CliRunner().invoke(app, ["evaluate", "--resamples", "0"])
    assert done.exit_code == 2
    assert "'--resamples'" in done.output


def test_a_fusion_is_calibrated_on_dev_and_says_what_it_chose_and_costs(tmp_path: Path) -> None:
    fold, dev = write_fold(tmp_path, "a", right=6), write_fold(tmp_path, "dev", right=6)
    arguments = ["evaluate", "--experiment", json.dumps(KEYS), "--languages", "en", "--resamples", "20"]
    for option in ("ranking", "data", "relevance"):
        arguments += [f"--{option}", str(fold[option]), f"--dev-{option}", str(dev[option])]
    arguments += ["--pair-scores", str(fold["scores"]), "--dev-pair-scores", str(dev["scores"])]
    fusions = [{"method": "none"}, {"method": "calibrated"}, {"method": "calibrated", "pairs": 0}]
    arguments += ["--depths", "3", "--fusions", json.dumps(fusions), "--gallery", "a.test"]
    done = CliRunner().invoke(app, [*arguments, "--output", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "out" / "measures.csv")
    table = table[(table["measure"] == "R@1") & (table["direction"] == "text-to-image")].set_index("fusion")
    assert table.loc["none", "value"] == table.loc["calibrated", "value"] == 100
    assert table.loc["calibrated pairs 0", "value"] == 50
    assert table["pairs_scored"].to_dict() == {
        "none": 36,
        "calibrated": 24,
        "calibrated pairs 0": 0,
    }  # the right one is first or second
    chosen = pd.read_csv(tmp_path / "out" / "calibrations.csv")
    assert sorted(set(chosen["direction"])) == sorted(way.value for way in Direction)


def test_absence_is_learned_on_dev_and_measured_with_and_without_the_right_items(tmp_path: Path) -> None:
    fold, dev = write_fold(tmp_path, "a", right=6), write_fold(tmp_path, "dev", right=6)
    arguments = ["evaluate-absence", "--experiment", json.dumps(KEYS), "--languages", "en", "--resamples", "20"]
    for option in ("ranking", "data", "relevance"):
        arguments += [f"--{option}", str(fold[option])]
    for option in ("ranking", "relevance"):
        arguments += [f"--dev-{option}", str(dev[option])]
    arguments += ["--pair-scores", str(fold["scores"]), "--dev-pair-scores", str(dev["scores"])]
    arguments += ["--depth", "3", "--rates", "0.01,0.2", "--gallery", "a.test", "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    table = pd.read_csv(tmp_path / "out" / "measures.csv").set_index(["direction", "measure"])["value"]
    assert table["text-to-image", "noticed at 20 %"] == 100
    assert table["text-to-image", "false alarms at 20 %"] == 0
    assert table["text-to-image", "noticed at 1 %"] == 0  # twelve dev queries prove no such rate
    assert set(json.loads((tmp_path / "out" / "absence.json").read_text())["en"]) == {way.value for way in Direction}
