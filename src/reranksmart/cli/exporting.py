"""Verbs that exchange rankings with the library mteb: a run of ours for its tools, a run of its for our rerankers."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import typer

from reranksmart.cli.verb import NewFolder, verb
from reranksmart.config.experiments import Fusion
from reranksmart.datasets.prepared.layout import picture_path, read_image_ids
from reranksmart.evaluation import mteb_tasks
from reranksmart.files.storage import read_json, read_relevance
from reranksmart.inputs.captions import read_gallery_captions
from reranksmart.ranking.ranked_gallery import RankedGallery
from reranksmart.searching.mteb_runs import candidates, open_reranker, reranked
from reranksmart.values.gallery import Gallery
from reranksmart.values.records import Captions, Direction, Ranking

Form = Annotated[Literal["mteb"], typer.Argument(help="the library in whose form it is written")]
Measures = Annotated[Path, typer.Option(help="one system on one test set: results/measures/.../<test set>")]


@verb(by_hand=True)
def export_verb(
    form: Form,
    measures: Measures,
    output: NewFolder,
    depth: Annotated[int | None, typer.Option(help="k of a system that re-ranks; its deepest unless given")] = None,
) -> None:
    """Writes a run's rankings as mteb's tools read them: predictions, and a cache of mteb's own measures of them."""
    asked = _arguments(measures)
    keys = json.loads(asked["experiment"])
    made = {"top_k": _depth(asked, depth)} if asked.get("pair_scores") else {}
    for way in Direction:
        task, rankings = exported_task(measures, way, depth=depth)
        mteb_tasks.write_results(
            output,
            task,
            {language: run_of(ranking) for language, ranking in rankings.items()},
            model=f"reranksmart/{keys['backbone']}.{keys['training_set']}.{keys['system']}",
            revision=f"seed{keys['seed']}-{read_json(measures / 'provenance.json')['recipe'] or 'no_recipe'}",
            made=made,
        )


def exported_task(measures: Path, way: Direction, *, depth: int | None = None) -> tuple[Any, dict[str, Ranking]]:
    """The task of mteb that a run's test set is, asked one way, and by language the run's final rankings."""
    asked = _arguments(measures)
    gallery, languages = Gallery.parse(asked["gallery"]), asked["languages"].split(",")
    pair_scores = Path(asked["pair_scores"][0]) if asked.get("pair_scores") else None
    ranked = RankedGallery(Path(asked["ranking"][0]), pair_scores, asked.get("exhaustive", False))
    root = Path(asked["data"][0]).parents[1]
    folders = [root / dataset / split for dataset, split in gallery.places]
    pictures = {id_: picture_path(folder, id_).resolve() for folder in folders for id_ in read_image_ids(folder)}
    captions = read_gallery_captions(folders, gallery, tuple(languages))
    truth = read_relevance(Path(asked["relevance"][0])).items_by_query(way)
    rankings = {language: ranked.ranking(language, way, _depth(asked, depth), Fusion())[0] for language in languages}
    subsets = {language: _subset(ranking, captions, pictures, truth, way) for language, ranking in rankings.items()}
    deepest = min(ranking.depth for ranking in rankings.values())
    return mteb_tasks.retrieval_task(mteb_tasks.task_name(asked["gallery"], way), way, subsets, depth=deepest), rankings


def _subset(
    ranking: Ranking,
    captions: Captions,
    pictures: Mapping[str, Path],
    truth: Mapping[str, frozenset[str]],
    way: Direction,
) -> mteb_tasks.Subset:
    texts: Mapping[str, str | Path] = dict(zip(captions.ids, captions.texts, strict=True))
    asking, answering = way.pair(texts, pictures)
    inside = frozenset(ranking.gallery_ids)
    return mteb_tasks.Subset(
        {query: asking[query] for query in ranking.query_ids},
        {item: answering[item] for item in ranking.gallery_ids},
        {query: truth[query] & inside for query in ranking.query_ids},
    )


def run_of(ranking: Ranking) -> mteb_tasks.Run:
    return {query: ranking.item_ids(row) for row, query in enumerate(ranking.query_ids)}


def _arguments(measures: Path) -> dict[str, Any]:
    """What `evaluate` was given; ValueError where the folder is not one of its, or holds folds."""
    record = read_json(measures / "provenance.json") if (measures / "provenance.json").is_file() else {}
    if record.get("verb") != "evaluate":
        raise ValueError(
            f"{measures} holds no measures of a system. Name the folder of one on a test set, as "
            "results/measures/<backbone>/<training set>/<system>/seed<n>/<test set>."
        )
    arguments: dict[str, Any] = record["arguments"]
    if len(arguments["ranking"]) > 1:
        raise ValueError(
            f"{measures} joins {len(arguments['ranking'])} folds, galleries apart, but a task of mteb has one gallery. "
            "Name a test set without folds."
        )
    return arguments


def _depth(asked: Mapping[str, Any], depth: int | None) -> int:
    """The depth that is asked for, or the deepest that was measured; 0 without re-ranking."""
    if not asked.get("pair_scores"):
        return 0
    return depth or max(k for fusion in json.loads(asked["fusions"]) for k in fusion.get("depths", [0]))


@verb(computes=True, by_hand=True)
def rerank_verb(
    form: Form,
    predictions: Annotated[Path, typer.Option(help="<Task>_predictions.json, which mteb writes of a retrieval run")],
    reranker: Annotated[str, typer.Option(help="a model's folder, or its name on the hub")],
    output: NewFolder,
    k: Annotated[int, typer.Option(help="candidates of each query that are re-ranked", min=1)] = 20,
    measures: Annotated[
        Path | None, typer.Option(help="of a task that `export` made: the measures that it was made of")
    ] = None,
) -> None:
    """Re-ranks the first candidates of a retrieval run of mteb, and writes the new ranking in the same form."""
    found = read_json(predictions)
    first = found.pop("mteb_model_meta")["model_name"]
    task = _task(predictions.name.removesuffix("_predictions.json"), measures)
    if not task.data_loaded:
        task.load_data()
    split_of = {subset: task.dataset[subset][mteb_tasks.SPLIT] for subset in found}
    before = {subset: candidates(split_of[subset], by_split[mteb_tasks.SPLIT]) for subset, by_split in found.items()}
    with TemporaryDirectory(prefix="reranksmart-") as folder:
        models = open_reranker(reranker, Path(folder) / "model")
        runs = {
            subset: reranked(models, split_of[subset], ranking, Path(folder) / f"{number}", k=k)
            for number, (subset, ranking) in enumerate(before.items())
        }
    mteb_tasks.write_results(
        output,
        task,
        {subset: run_of(ranking) for subset, ranking in runs.items()},
        model=f"local/{Path(reranker).resolve().name}" if Path(reranker).exists() else reranker,
        revision="local",
        made={"first_stage": first, "top_k": k},
    )


def _task(name: str, measures: Path | None) -> Any:
    if measures is None:
        try:
            return mteb_tasks.mteb_library().get_task(name)
        except KeyError as error:
            raise ValueError(
                f"mteb has no task {name!r}. Name its predictions as mteb does, <Task>_predictions.json; of a task that "
                "`reranksmart export mteb` made give --measures, too."
            ) from error
    for way in Direction:
        task, _ = exported_task(measures, way)
        if task.metadata.name == name:
            return task
    raise ValueError(
        f"{measures} is not of the task {name!r} but of {task.metadata.name!r}; name the measures of both."
    )
