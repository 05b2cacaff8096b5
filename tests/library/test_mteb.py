"""Rankings go to mteb and come back: its tools read what is written, and measure what is measured here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sentence_transformers as library
from library_checkpoints import write_library_folder
from own_pictures import COLOURS, SHAPES, draw
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.exporting import exported_task, run_of
from reranksmart.cli.verb import app
from reranksmart.evaluation.mteb_tasks import Replay
from reranksmart.files.storage import write_captions, write_ranking, write_relevance
from reranksmart.models.pictures_alone import pictures_alone
from reranksmart.values.records import Captions, Direction, Ranking

mteb = pytest.importorskip(
    "mteb", reason="mteb comes with the extra [mteb] alone: its pyarrow changes how pandas keeps texts"
)
from mteb._evaluators.retrieval_metrics import calculate_retrieval_scores  # noqa: E402

load("evaluate", "export", "rerank")
KEYS = {"backbone": "b", "training_set": "t", "system": "s", "seed": 1, "test_set": "x"}
IMAGES = tuple(f"drawn/{number}.png" for number in range(16))


def run(*arguments: object) -> None:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None:
        raise done.exception


@pytest.fixture(scope="module")
def measures(tmp_path_factory) -> Path:
    """A system that re-ranks 3 of 12 candidates of 16 drawn pictures with three captions each, in two languages."""
    root = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(1)
    data = root / "data" / "drawn" / "test"
    for number, image in enumerate(IMAGES):
        draw(data / "images" / image.split("/")[1], COLOURS[number % 8], SHAPES[number // 8])
    rows = [(f"{image}#{language}{number}", f"{COLOURS[place % 8]} {place} {language} {number}", image, language)
            for place, image in enumerate(IMAGES) for language in ("en", "de") for number in range(3)]  # fmt: skip
    captions = Captions(*(tuple(column) for column in zip(*rows, strict=True)))
    write_captions(data / "captions.jsonl", captions)
    write_relevance(root / "relevance.npz", captions.relevance())
    for folder in ("ranking", "scores"):
        (root / folder).mkdir()
    for language in ("en", "de"):
        asked = captions.in_languages([language])
        for way in Direction:
            queries, gallery = way.pair(asked.ids, IMAGES)
            items = np.array([rng.permutation(len(gallery))[:12] for _ in queries], dtype=np.int32)
            scores = rng.integers(0, 4, items.shape).astype(np.float32)  # many are equal
            write_ranking(root / "ranking" / f"{language}.{way}.npz", Ranking(queries, gallery, items, scores))
            np.save(root / "scores" / f"{language}.{way}.npy", rng.integers(0, 2, (len(queries), 3)).astype(np.float32))
    folders = ["--ranking", root / "ranking", "--data", data, "--relevance", root / "relevance.npz"]
    fusions = json.dumps([{"method": "none", "depths": [2, 3]}])
    settings = ["--pair-scores", root / "scores", "--fusions", fusions, "--gallery", "drawn.test"]
    shape = ["--languages", "en,de", "--resamples", 5, "--experiment", json.dumps(KEYS)]
    run("evaluate", *folders, *settings, *shape, "--output", root / "measures")
    return root / "measures"


@pytest.fixture(scope="module")
def exported(measures: Path) -> Path:
    run("export", "mteb", "--measures", measures, "--output", measures.parent / "exported")
    return measures.parent / "exported"


@pytest.mark.parametrize("way", Direction)
@pytest.mark.parametrize("depth", [2, 3])
def test_its_evaluator_and_ours_measure_the_same(measures, way, depth):
    task, rankings = exported_task(measures, way, depth=depth)
    task.load_data()
    table = pd.read_csv(measures / "measures.csv")
    table = table[(table["direction"] == str(way)) & (table["depth"] == depth)].set_index(["language", "measure"])
    for language, ranking in rankings.items():
        split, ours = task.dataset[language]["test"], table.loc[language]["value"] / 100
        replay = Replay(None, {language: run_of(ranking)})
        scores = replay.search(split["queries"], hf_subset=language, top_k=10)
        found = calculate_retrieval_scores(scores, split["relevant_docs"], task.k_values)
        theirs = pd.DataFrame(found.all_scores).mean(axis=1)
        assert 0 < theirs["ndcg_cut_10"] < 1
        assert theirs["ndcg_cut_10"] == pytest.approx(ours["nDCG@10"], abs=1e-9)
        assert theirs["map_cut_10"] == pytest.approx(ours["MAP@10"], abs=1e-9)
        assert found.mrr["MRR@10"] == pytest.approx(ours["MRR@10"], abs=1e-9)
        for cutoff in (1, 5, 10):  # its recall is the part found
            assert theirs[f"success_{cutoff}"] == pytest.approx(ours[f"R@{cutoff}"], abs=1e-9)
    assert max(task.k_values) == 10  # twelve were ranked


def test_its_cache_and_its_tasks_read_what_is_exported(measures, exported):
    found = mteb.ResultCache(exported).load_results(include_remote=False, load_experiments="match_name", validate_and_filter=False)  # fmt: skip
    (model,) = found.model_results
    assert model.model_name == "reranksmart/b.t.s"
    assert {result.task_name for result in model.task_results} == {"DrawnTestT2IRetrieval", "DrawnTestI2TRetrieval"}
    assert (exported / "results/reranksmart__b.t.s/seed1-no_recipe/experiments/top_k_3").is_dir()
    task, rankings = exported_task(measures, Direction.TEXT_TO_IMAGE)
    task.convert_to_reranking(exported / "predictions", top_k=5)
    ranked = task.dataset["de"]["test"]["top_ranked"]
    assert ranked == {query: items[:5] for query, items in run_of(rankings["de"]).items()}


class Judge:
    """A cross-encoder in mteb's protocol; mteb's own wrapper cuts texts and pictures into batches of unequal size."""

    def __init__(self, folder: Path) -> None:
        self.mteb_model_meta = mteb.get_model_meta("mteb/baseline-random-cross-encoder")
        with pictures_alone():
            self.model = library.CrossEncoder(str(folder), device="cpu")

    def predict(self, inputs1, inputs2, **options) -> np.ndarray:
        sides = [[{name: value} for batch in side for name in ("text", "image") for value in batch.get(name, [])]
                 for side in (inputs1, inputs2)]  # fmt: skip
        with pictures_alone():
            return self.model.predict([self.of(pair) for pair in zip(*sides, strict=True)])

    @staticmethod
    def of(pair):
        """Captions ask in the settings of ours, whatever asks in the task."""
        return pair if "text" in pair[0] else pair[::-1]


@pytest.mark.parametrize("way", Direction)
def test_a_reranker_gives_the_measures_that_it_has_inside_mteb(measures, exported, tmp_path, way):
    folder = write_library_folder("reranker", tmp_path / "judge")
    task, _ = exported_task(measures, way)
    predictions = exported / "predictions" / f"{task.metadata.name}_predictions.json"
    run("rerank", "mteb", "--predictions", predictions, "--reranker", folder, "--k", 4, "--measures", measures,
        "--output", tmp_path / "ours")  # fmt: skip
    task.convert_to_reranking(exported / "predictions", top_k=4)
    theirs = task.evaluate(Judge(folder), encode_kwargs={})
    (path,) = (tmp_path / "ours").glob(f"results/local__judge/local/experiments/*/{task.metadata.name}.json")
    for scores in json.loads(path.read_text())["scores"]["test"]:
        for name in ("ndcg_at_3", "recall_at_3", "mrr_at_3", "hit_rate_at_1"):  # deeper ones lose their tail in mteb
            assert scores[name] == pytest.approx(theirs[scores["hf_subset"]][name], abs=2e-5), (
                name
            )  # rounded to 5 digits
    written = json.loads((tmp_path / "ours" / "predictions" / predictions.name).read_text())
    assert all(len(items) == 10 for items in written["de"]["test"].values())  # the tail is kept


def change(found: dict, what: str) -> None:
    first = next(iter(found["en"]["test"]))
    if what == "a query is empty":
        found["en"]["test"][first] = {}
    elif what == "a candidate is unknown":
        found["en"]["test"][first] = {f"x{number}": 1.0 for number in range(10)}
    else:
        found["en"]["test"][first] = {IMAGES[0]: 1.0}


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("a query is empty", "1 of 48 queries have no candidates"),
        ("a candidate is unknown", "candidate 'x0' is not in the task's corpus"),
        ("lengths differ", "queries have from 1 to 10 candidates"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(measures, exported, tmp_path, what, said):
    name = "DrawnTestT2IRetrieval_predictions.json"
    found = json.loads((exported / "predictions" / name).read_text())
    change(found, what)
    (tmp_path / name).write_text(json.dumps(found))
    options = ("--measures", measures, "--output", tmp_path / "out")
    with pytest.raises(ValueError, match=said):
        run("rerank", "mteb", "--predictions", tmp_path / name, "--reranker", "nobody/nothing", *options)
    with pytest.raises(ValueError, match="holds no measures of a system"):
        run("export", "mteb", "--measures", tmp_path, "--output", tmp_path / "out")
