"""Galleries as retrieval tasks of the library mteb, and rankings as its results.

Everything is written by mteb itself: a model that answers with a ranking is evaluated on the task. Ranks stand as falling
whole numbers, since mteb breaks ties of scores by id in one place and by another rule in the next.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reranksmart.values.records import Direction

Run = Mapping[str, Sequence[str]]
"""By query id, the ids of items, best first."""
SPLIT = "test"
_CUTOFFS = (1, 3, 5, 10, 20, 100, 1000)
_NOT_SAID = (
    *("loader", "release_date", "languages", "n_parameters", "memory_usage_mb", "max_tokens", "embed_dim", "license"),
    *("open_weights", "public_training_code", "public_training_data", "similarity_fn_name", "use_instructions"),
    "training_datasets",
)
"""Of a model, what mteb asks for and no ranking depends on."""
_KINDS = {Direction.TEXT_TO_IMAGE: ("T2I", "t2i"), Direction.IMAGE_TO_TEXT: ("I2T", "i2t")}


@dataclass(frozen=True)
class Subset:
    """One language of a task: what asks and what answers, by id a text or the file of a picture, and what is relevant."""

    queries: Mapping[str, str | Path]
    corpus: Mapping[str, str | Path]
    relevant: Mapping[str, Iterable[str]]


def mteb_library() -> Any:
    """The library mteb; ValueError where it is not installed."""
    try:
        import mteb  # takes ten seconds, which only an exchange with it needs
    except ImportError as error:
        raise ValueError(
            f"this needs the library mteb ({error}). Install it: pip install 'reranksmart[mteb]'"
        ) from error
    return mteb


def task_name(gallery: str, way: Direction) -> str:
    """The name of a gallery's task in mteb's style: ``scenes.test`` asked by captions is ``ScenesTestT2IRetrieval``."""
    words = "".join(letter if letter.isalnum() else " " for letter in gallery).split()
    return "".join(word[0].upper() + word[1:] for word in words) + f"{_KINDS[way][0]}Retrieval"


def retrieval_task(name: str, way: Direction, subsets: Mapping[str, Subset], *, depth: int) -> Any:
    """A task of mteb over these subsets, by language; measures are at cutoffs up to ``depth``, the items ranked."""
    mteb_library()
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    cutoffs = tuple(cutoff for cutoff in _CUTOFFS if cutoff <= depth)
    described = TaskMetadata(
        name=name,
        description=f"A gallery of reranksmart, {way}.",
        dataset={"path": f"reranksmart/{name}", "revision": "local"},
        type="Any2AnyRetrieval",
        category=_KINDS[way][1],
        modalities=["text", "image"],
        eval_splits=[SPLIT],
        eval_langs={language: _codes(language) for language in subsets},
        main_score=f"ndcg_at_{max(cutoff for cutoff in cutoffs if cutoff <= 10)}",
    )

    def load_data(self: Any, **options: Any) -> None:
        self.dataset = {
            language: {
                SPLIT: {
                    "queries": _dataset(subset.queries),
                    "corpus": _dataset(subset.corpus),
                    "relevant_docs": {query: dict.fromkeys(items, 1) for query, items in subset.relevant.items()},
                    "top_ranked": None,
                }
            }
            for language, subset in subsets.items()
        }
        self.data_loaded = True

    members = {"metadata": described, "k_values": cutoffs, "load_data": load_data, "__module__": __name__}
    return type(name, (AbsTaskRetrieval,), members)()


def _codes(language: str) -> list[str]:
    """A language in mteb's codes; undetermined where mteb has none for it."""
    known: dict[str, list[str]] = mteb_library().get_task("XM3600T2IRetrieval").metadata.eval_langs
    return known.get(language, ["und-Zyyy"])


def _dataset(items: Mapping[str, str | Path]) -> Any:
    from datasets import Dataset, Features, Image, Value

    of_pictures = isinstance(next(iter(items.values())), Path)
    name, kind = ("image", Image(mode="RGB")) if of_pictures else ("text", Value("string"))
    columns = {"id": list(items), name: [str(item) for item in items.values()]}
    return Dataset.from_dict(columns, features=Features({"id": Value("string"), name: kind}))


def write_results(
    folder: Path, task: Any, runs: Mapping[str, Run], *, model: str, revision: str, made: Mapping[str, Any]
) -> Any:
    """What mteb finds of rankings, by subset: its result, also in ``folder`` as a ``ResultCache`` and in
    ``folder/predictions``. ``made`` says what else the ranking depends on, so that no cache takes one for another."""
    mteb = mteb_library()
    meta = mteb.models.ModelMeta(
        name=model,
        revision=revision,
        framework=["PyTorch"],
        **dict.fromkeys(_NOT_SAID),
        modalities=["text", "image"],
        model_type=["cross-encoder" if "top_k" in made else "dense"],
        experiment_kwargs=dict(made) or None,
    )
    return mteb.evaluate(
        Replay(meta, runs),
        task,
        cache=mteb.ResultCache(folder),
        prediction_folder=folder / "predictions",
        overwrite_strategy="always",
        co2_tracker=False,
        show_progress_bar=False,
    )


class Replay:
    """A model in mteb's search protocol that answers with rankings made before, by subset."""

    def __init__(self, meta: Any, runs: Mapping[str, Run]) -> None:
        self.mteb_model_meta, self.runs = meta, runs

    def index(self, corpus: Any, **options: Any) -> None: ...

    def search(self, queries: Any, *, hf_subset: str, top_k: int, **options: Any) -> dict[str, dict[str, float]]:
        """By query, its items with falling whole numbers as scores."""
        run = self.runs[hf_subset]
        return {
            query: {item: float(len(run[query]) - place) for place, item in enumerate(run[query][:top_k])}
            for query in queries["id"]
        }
