"""ECCV Caption and CxC of a bi-encoder and of its re-ranked list, against the package's own evaluator."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from judged_coco import judged_images, judges, write_karpathy
from pydantic import TypeAdapter
from running import ROOT
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.config.validation import validated
from reranksmart.datasets.coco import read_coco_numbers
from reranksmart.datasets.published.extended_relevance import judged_items
from reranksmart.files.storage import read_captions, write_pair_scores, write_ranking
from reranksmart.plan import entries, extended
from reranksmart.report.asked import Asked
from reranksmart.report.making import make_table
from reranksmart.values.records import Direction, Ranking
from reranksmart.values.settings import ConfigError

load("prepare-split", "evaluate-extended")

T2I, I2T = Direction.TEXT_TO_IMAGE, Direction.IMAGE_TO_TEXT
KEYS = {"backbone": "oscar", "training_set": "coco", "seed": 1, "test_set": "coco_5k"}
DEPTH, KEPT = 20, 50
PAPER = yaml.safe_load((ROOT / "workflow" / "configs" / "paper.yaml").read_text())


def run(app: Any, verb: str, **options: object) -> None:
    arguments = [verb]
    for name, value in options.items():
        arguments += [f"--{name.replace('_', '-')}", str(value)]
    done = CliRunner().invoke(app, arguments)
    if done.exception is not None:
        raise done.exception


@dataclass(frozen=True)
class World:
    """A prepared split, judged, with a retriever's candidates and a reranker's scores of their first 20."""

    folder: Path
    number: dict[str, int]
    rankings: dict[str, dict[Direction, Ranking]]

    def value(self, collection: str, system: str, direction: Direction, measure: str) -> float:
        output = self.folder / "measures" / collection / system
        if not output.exists():
            reranked = {"pair_scores": self.folder / "scores", "depths": DEPTH} if system == "coop" else {}
            run(
                app,
                "evaluate-extended",
                ranking=self.folder / "candidates",
                data=self.folder / "data" / "test",
                relevance=self.folder / collection,
                collection=collection,
                experiment=json.dumps({**KEYS, "system": system}),
                output=output,
                resamples=20,
                **reranked,
            )
        table = pd.read_csv(output / "measures.csv").set_index(["direction", "measure"])
        return float(table.loc[(direction.value, measure), "value"])

    def retrieved(self, system: str, direction: Direction) -> dict[int, list[int]]:
        """The ranking as the package's evaluator wants it: COCO's numbers, best first."""
        number, ranking = self.number, self.rankings[system][direction]
        return {
            number[query]: [number[item] for item in ranking.item_ids(row)]
            for row, query in enumerate(ranking.query_ids)
        }


def candidates_of(
    way: Direction, queries: tuple[str, ...], gallery: tuple[str, ...], number: dict[str, int]
) -> np.ndarray:
    """50 items of each query, without repeats: by turns the relevant ones first, scattered among others, or by chance."""
    rng = np.random.default_rng(5)
    kept = min(KEPT, len(gallery))
    row_of = {number[item]: row for row, item in enumerate(gallery)}
    chance = rng.integers(len(gallery), size=(len(queries), 1)) + np.arange(len(gallery))[:: max(1, len(gallery) // 97)]
    found = []
    for row, query in enumerate(queries):
        judged = {item for name in ("eccv_caption", "cxc") for item in judged_items(name, way).get(number[query], ())}
        relevant = [row_of[item] for item in sorted(judged) if item in row_of] if row % 3 else []
        items = list(dict.fromkeys([*relevant, *(chance[row] % len(gallery)).tolist(), *range(kept)]))[:kept]
        found.append(rng.permutation(items) if row % 3 == 2 else items)
    return np.array(found, dtype=np.int32)


def world_of(folder: Path, images: list[int]) -> World:
    """A split of these images, prepared and judged by the verbs, and made-up rankings of it."""
    karpathy = write_karpathy(folder / "dataset_coco.json", images, others=[1, 2])
    settings = json.dumps({"kind": "coco", "annotations": str(karpathy), "images": [], "splits": {"test": {}}})
    data = folder / "data" / "test"
    run(app, "prepare-split", split="test", settings=settings, output=data)
    for name in ("eccv_caption", "cxc"):
        run(app, "judge-extended", data=data, settings=settings, collection=name, output=folder / name)
    captions, numbers = read_captions(data / "captions.jsonl"), read_coco_numbers(karpathy, split="test")
    number = numbers | {f"coco/{image}": image for image in images}
    rng = np.random.default_rng(6)
    found: dict[str, dict[Direction, Ranking]] = {"be": {}, "coop": {}}
    (folder / "candidates").mkdir()
    (folder / "scores").mkdir()
    for way in Direction:
        queries, gallery = way.pair(captions.ids, tuple(dict.fromkeys(captions.image_ids)))
        items = candidates_of(way, queries, gallery, number)
        ranking = Ranking(
            queries, gallery, items, np.tile(np.arange(items.shape[1], 0, -1, dtype=np.float32), (len(items), 1))
        )
        log_odds = rng.standard_normal((len(queries), DEPTH)).astype(np.float32)
        write_ranking(folder / "candidates" / f"en.{way}.npz", ranking)
        write_pair_scores(folder / "scores" / f"en.{way}.npy", log_odds)
        found["be"][way], found["coop"][way] = ranking, ranking.rescored(log_odds)
    return World(folder, number, found)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> World:
    return world_of(tmp_path_factory.mktemp("whole"), judged_images())


@pytest.mark.parametrize("system", ["be", "coop"])
def test_measures_are_those_of_the_packages_own_evaluator(whole: World, system: str) -> None:
    theirs = judges().compute_all_metrics(
        *(whole.retrieved(system, way) for way in (I2T, T2I)),
        target_metrics=("eccv_map_at_r", "eccv_rprecision", "eccv_r1", "cxc_recalls"),
    )
    names = {
        **{("eccv_caption", "mAP@R"): "eccv_map_at_r", ("eccv_caption", "R-Precision"): "eccv_rprecision"},
        **{("eccv_caption", "R@1"): "eccv_r1"},
        **{("cxc", f"R@{k}"): f"cxc_r{k}" for k in (1, 5, 10)},
    }
    for (collection, measure), name in names.items():
        for way, short in ((T2I, "t2i"), (I2T, "i2t")):
            ours = whole.value(collection, system, way, measure)
            assert ours == pytest.approx(100 * theirs[name][short], abs=1e-9), (name, way)
            assert 1 < ours < 99  # neither nothing nor everything was found


def test_re_ranking_beyond_the_first_k_keeps_the_retrievers_order(whole: World) -> None:
    for way in Direction:
        before, after = (whole.rankings[system][way].items for system in ("be", "coop"))
        assert (before[:, DEPTH:] == after[:, DEPTH:]).all()
        assert (before[:, :DEPTH] != after[:, :DEPTH]).any()


def test_a_part_of_the_split_is_measured_among_itself(tmp_path: Path) -> None:
    world = world_of(tmp_path, judged_images()[:60])
    numbers = set(judged_images()[:60])
    scores = []
    for query, ranked in world.retrieved("be", I2T).items():
        own = {caption for image in numbers for caption in judged_items("original", I2T)[image]}
        relevant = set(judged_items("eccv_caption", I2T).get(query, ())) & own
        if relevant:
            hits = [item in relevant for item in ranked[: len(relevant)]]
            scores.append(sum(hits) / len(relevant))
    assert world.value("eccv_caption", "be", I2T, "R-Precision") == pytest.approx(100 * float(np.mean(scores)))


def test_too_few_candidates_are_refused_before_anything_runs() -> None:
    few = {**copy.deepcopy(PAPER), "candidates": 47}
    for experiment in few["experiments"].values():
        experiment["depths"] = [20]  # the paper's deepest is 50, refused with so few by itself
    config = validated(few)
    wildcards = SimpleNamespace(**{**KEYS, "system": "be", "collection": "eccv_caption"})
    with pytest.raises(ConfigError, match=r"candidates: 47 items are kept .* Set candidates to 48 or more"):
        extended.extended_measure_inputs(config, wildcards)
    assert extended.extended_measure_inputs(validated(PAPER), wildcards)["relevance"]


@pytest.mark.parametrize(
    ("test_set", "said"),
    [
        ({"dataset": "flickr30k", "split": "test"}, "judge COCO's test split .* Leave extended_relevance out"),
        ({"dataset": "coco", "split": "dev"}, "which split 'dev' of dataset 'coco' is not read from"),
        (
            {"dataset": "coco", "split": "test", "captions_per_image": 1},
            "leave folds, distractors and captions_per_image",
        ),
        ({"dataset": "coco", "split": "test", "distractors": ["flickr30k.test"]}, "leave folds, distractors"),
    ],
)
def test_other_test_sets_than_cocos_are_refused(test_set: dict[str, Any], said: str) -> None:
    config = copy.deepcopy(PAPER)
    config["test_sets"]["other"] = {**test_set, "extended_relevance": ["cxc"]}
    with pytest.raises(ConfigError, match=said):
        validated(config)


def test_a_table_of_test_sets_that_are_not_so_measured_is_refused() -> None:
    config = copy.deepcopy(PAPER)
    config["experiments"]["cxc"]["test_sets"] = ["flickr30k"]
    with pytest.raises(
        ConfigError, match=r"experiments.cxc: tables.cxc shows cxc, by which test sets \['flickr30k'\] are not"
    ):
        validated(config)


def test_the_table_sets_each_depth_of_re_ranking_beside_its_retriever(whole: World) -> None:
    config = validated(PAPER)
    for system in ("be", "coop"):
        whole.value("eccv_caption", system, T2I, "mAP@R")
    assert all("/extended_measures/eccv_caption/" in path for path in entries.inputs(config, "tables", "eccv_caption"))
    asked = TypeAdapter(Asked).validate_json(entries.asked(config, "tables", "eccv_caption"))
    chosen = replace(asked, systems=["be", "coop"], labels={"be": "BE", "coop": "Coop"})
    table = make_table(chosen, [whole.folder / "measures" / "eccv_caption" / name for name in ("be", "coop")])
    assert [row.label for row in table.rows] == ["BE", "Coop, k = 20"]
    cells = dict(zip([column.label for column in table.columns], table.rows[1].cells, strict=True))
    assert list(cells) == [f"{way} {name}" for way in ("IR", "TR") for name in ("mAP@R", "R-Precision", "R@1")]
    assert cells["TR mAP@R"].value == whole.value("eccv_caption", "coop", I2T, "mAP@R")
    assert "1,332 captions and 1,261 images" in table.caption
