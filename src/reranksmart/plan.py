"""Pure functions of the configuration: which files must exist, what each needs, and the digest of a verb's code."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from reranksmart.code import code_digest as code_digest
from reranksmart.config import Config, ConfigError, Experiment, Fusion, Latency, Scenes, TestSet
from reranksmart.gallery import Gallery as Gallery

TABLES_OF_EXPERIMENTS = {
    "table1_main": ("main", "main_exhaustive"),
    "table2_languages": ("languages",),
    "transfer": ("transfer", "main"),
    "enlarged_gallery": ("enlarged_gallery", "main"),
    "sample_efficiency": ("sample_efficiency", "main"),
    "depth": ("depth",),
    "fusion": ("fusion",),
    "hard_negatives": ("hard_negatives", "main"),
    "twins": ("twins",),
}
LATENCY_TABLES = ("table3_latency", "table4_evaluation_time", "cost", "index_recall")


@dataclass(frozen=True, order=True)
class Evaluation:
    """One system of one backbone, training set and seed on one test set."""

    backbone: str
    training_set: str
    system: str
    seed: int
    test_set: str

    @property
    def folder(self) -> str:
        return f"{self.backbone}/{self.training_set}/{self.system}/seed{self.seed}/{self.test_set}"


def model_folder(backbone: str, training_set: str, objective: str, seed: int) -> str:
    return f"{backbone}/{training_set}/{objective}/seed{seed}"


def gallery_name(test_set: TestSet) -> str:
    """The name of a test set's queries and gallery: ``scenes.test``, ``scenes.test+distractors``, ``scenes.test.1``."""
    splits = "+".join((test_set.split, *test_set.distractors))
    first = f".{test_set.captions_per_image}" if test_set.captions_per_image else ""
    return f"{test_set.dataset}.{splits}{first}"


def experiments_of(config: Config, table: str) -> list[Experiment]:
    return [config.experiments[name] for name in TABLES_OF_EXPERIMENTS[table] if name in config.experiments]


def evaluations(config: Config, experiments: Iterable[Experiment]) -> list[Evaluation]:
    """Every evaluation of the experiments, each once, in order."""
    found = {
        Evaluation(backbone, training_set, system, seed, test_set)
        for experiment in experiments
        for backbone in experiment.backbones
        for training_set in experiment.training_sets
        for system in experiment.systems
        for seed in config.seeds
        for test_set in experiment.test_sets
    }
    return sorted(found)


def _experiments_with(config: Config, wildcards: Any) -> Iterator[Experiment]:
    for experiment in config.experiments.values():
        if (
            wildcards.backbone in experiment.backbones
            and wildcards.training_set in experiment.training_sets
            and wildcards.system in experiment.systems
            and wildcards.test_set in experiment.test_sets
        ):
            yield experiment


def depths(config: Config, wildcards: Any) -> list[int]:
    """The depths k at which an evaluation re-ranks, over all experiments that ask for it; none without re-ranking."""
    system = config.systems[wildcards.system]
    if system.retriever is None or system.reranker is None:
        return []
    return sorted({k for experiment in _experiments_with(config, wildcards) for k in experiment.depths})


def fusions(config: Config, wildcards: Any) -> list[Fusion]:
    found = {fusion for experiment in _experiments_with(config, wildcards) for fusion in experiment.fusions}
    return sorted(found, key=lambda fusion: (fusion.method, fusion.weight))


def deepest(config: Config, wildcards: Any) -> int:
    """The largest depth at which any system scores this retriever's candidates with this reranker on this gallery."""
    found = [0]
    for experiment in config.experiments.values():
        if wildcards.backbone not in experiment.backbones or wildcards.training_set not in experiment.training_sets:
            continue
        galleries = {gallery_name(config.test_sets[name]) for name in experiment.test_sets}
        roles = {(config.systems[name].retriever, config.systems[name].reranker) for name in experiment.systems}
        if wildcards.gallery in galleries and (wildcards.retriever, wildcards.reranker) in roles:
            found += experiment.depths
    return max(found)


def measure_inputs(config: Config, wildcards: Any) -> dict[str, str]:
    """What an evaluation reads, by role."""
    system, test_set = config.systems[wildcards.system], config.test_sets[wildcards.test_set]
    start = f"results/{{kind}}/{wildcards.backbone}/{wildcards.training_set}/{{who}}/seed{wildcards.seed}"
    gallery = gallery_name(test_set)
    inputs = {
        "relevance": f"results/relevance/{gallery}.npz",
        "data": f"results/data/{test_set.dataset}/{test_set.split}",
    }
    if system.retriever is None:
        inputs["ranking"] = f"{start.format(kind='exhaustive', who=system.reranker)}/{gallery}"
    else:
        inputs["ranking"] = f"{start.format(kind='candidates', who=system.retriever)}/{gallery}"
        if system.reranker:
            who = f"{system.retriever}-{system.reranker}"
            inputs["pair_scores"] = f"{start.format(kind='pair_scores', who=who)}/{gallery}"
    return inputs


def objectives_of(config: Config, system: str) -> list[str]:
    """The objectives whose models a system needs, each once."""
    roles = (config.systems[system].retriever, config.systems[system].reranker)
    return sorted({objective for objective in roles if objective})


def split_inputs(config: Config, dataset: str) -> list[str]:
    """What preparing a split of this dataset reads."""
    return ["results/stamps/stamps.jsonl"] if isinstance(config.datasets[dataset], Scenes) else []


def measures(config: Config, table: str) -> list[str]:
    """The folders of measures that a table reads."""
    kind = "twins" if table == "twins" else "measures"
    return [f"results/{kind}/{e.folder}" for e in evaluations(config, experiments_of(config, table))]


def tables(config: Config) -> list[str]:
    """The tables that the configuration asks for."""
    found = [name for name, names in TABLES_OF_EXPERIMENTS.items() if names[0] in config.experiments]
    found += list(LATENCY_TABLES) if config.latency else []
    found += ["claims"] if config.comparisons else []
    found += ["region_recall"] if _scene_splits(config) else []
    return found


def _scene_splits(config: Config) -> list[str]:
    """The region folders of all composed splits, whose true objects are known."""
    scenes = {name: dataset for name, dataset in config.datasets.items() if isinstance(dataset, Scenes)}
    return [f"results/regions/{name}/{split}" for name, dataset in scenes.items() for split in dataset.splits]


def figures(config: Config) -> list[str]:
    found = ["learning_curves"]
    found += ["depth"] if "depth" in config.experiments else []
    found += ["sample_efficiency"] if "sample_efficiency" in config.experiments else []
    found += ["latency", "accuracy_latency"] if config.latency else []
    return found


def trained_models(config: Config) -> list[str]:
    """The folders of every model that an experiment needs."""
    found = {
        model_folder(e.backbone, e.training_set, objective, e.seed)
        for e in evaluations(config, config.experiments.values())
        for objective in objectives_of(config, e.system)
    }
    return sorted(found)


def settings(value: Any) -> str:
    """Settings of one step as compact JSON with sorted keys: what a rule passes as a parameter."""
    return json.dumps(value, default=lambda model: model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def reading_settings(config: Config, backbone: str) -> str:
    """What of a backbone's settings matters for reading captions: not how it was made."""
    return config.backbones[backbone].model_dump_json(include={"embedder", "languages", "max_tokens"})


def one_of(names: Iterable[str]) -> str:
    """A regular expression of exactly these names, longest first."""
    return "|".join(sorted(names, key=lambda name: (-len(name), name)))


def options(flag: str, values: Iterable[str]) -> str:
    """A repeated command option: ``--data a --data b``."""
    return " ".join(f"{flag} {value}" for value in values)


def stamps_option(config: Config) -> str:
    """Where the stamps come from: the user's archive if the configuration names one."""
    sources = {d.stamps for d in config.datasets.values() if isinstance(d, Scenes) and d.stamps}
    return f"--source {shlex.quote(sorted(sources)[0])}" if sources else ""


def split_settings(config: Config, wildcards: Any) -> str:
    """What a split of a dataset is made from: nothing of the dataset's other splits."""
    dataset = config.datasets[wildcards.dataset]
    if wildcards.split not in dataset.splits:
        known = list(dataset.splits)
        raise ConfigError(f"dataset {wildcards.dataset!r} has no split {wildcards.split!r}; it has {known}")
    return settings({**dataset.model_dump(mode="json"), "splits": {wildcards.split: dataset.splits[wildcards.split]}})


def gallery_folders(root: str, gallery: str) -> list[str]:
    """One folder below ``root`` for each split of a gallery."""
    parsed = Gallery.parse(gallery)
    return [f"{root}/{parsed.dataset}/{split}" for split in parsed.splits]


def embedding_folders(wildcards: Any) -> list[str]:
    model = model_folder(wildcards.backbone, wildcards.training_set, wildcards.objective, wildcards.seed)
    return gallery_folders(f"results/embeddings/{model}", wildcards.gallery)


def train_inputs(config: Config, wildcards: Any) -> dict[str, str]:
    """What a training reads, by role; the audit of its dataset must have passed."""
    training_set = config.training_sets[wildcards.training_set]
    dataset, split, dev = training_set.dataset, training_set.split, training_set.dev_split
    return {
        "backbone": f"results/backbones/{wildcards.backbone}/{dataset}",
        "data": f"results/data/{dataset}/{split}",
        "regions": f"results/regions/{dataset}/{split}",
        "relevance": f"results/relevance/{dataset}.{split}.npz",
        "dev_data": f"results/data/{dataset}/{dev}",
        "dev_regions": f"results/regions/{dataset}/{dev}",
        "dev_relevance": f"results/relevance/{dataset}.{dev}.npz",
        "audit": f"results/data/{dataset}/audit.json",
    }


def training_priority(config: Config, wildcards: Any) -> int:
    """Models of Table 1 train first."""
    main = config.experiments.get("main")
    if main and wildcards.backbone in main.backbones and wildcards.training_set in main.training_sets:
        needed = {objective for system in main.systems for objective in objectives_of(config, system)}
        return 70 if wildcards.objective in needed else 10
    return 10


def experiment_keys(wildcards: Any) -> str:
    """The key columns of an evaluation's measures."""
    keys = {name: getattr(wildcards, name) for name in ("backbone", "training_set", "system", "test_set")}
    return settings({**keys, "seed": int(wildcards.seed)})


def measure_options(config: Config, wildcards: Any) -> str:
    """The options of ``reranksmart evaluate``, quoted for a shell."""
    values = {
        "--experiment": experiment_keys(wildcards),
        "--gallery": gallery_name(config.test_sets[wildcards.test_set]),
        "--languages": ",".join(config.backbones[wildcards.backbone].languages),
        "--depths": ",".join(map(str, depths(config, wildcards))),
        "--fusions": settings(fusions(config, wildcards)),
        "--resamples": str(config.bootstrap),
    }
    return " ".join(f"{flag} {shlex.quote(value)}" for flag, value in values.items())


def twin_inputs(config: Config, wildcards: Any) -> dict[str, str]:
    """Twins are scored by a system of one role: a bi-encoder or an exhaustive cross-encoder."""
    system, test_set = config.systems[wildcards.system], config.test_sets[wildcards.test_set]
    role, objective = ("reranker", system.reranker) if system.retriever is None else ("retriever", system.retriever)
    model = model_folder(wildcards.backbone, wildcards.training_set, str(objective), wildcards.seed)
    place = f"{test_set.dataset}/{test_set.split}"
    return {"scores": f"results/twin_scores/{model}/{role}/{place}", "data": f"results/data/{place}"}


def compared(config: Config) -> list[str]:
    """The measures that the paired tests read."""
    found = {
        f"results/measures/{Evaluation(c.backbone, c.training_set, system, seed, c.test_set).folder}"
        for c in config.comparisons
        for system in c.systems
        for seed in config.seeds
    }
    return sorted(found)


def main_depth(config: Config) -> int:
    """The depth of Table 1: the first that its experiment names."""
    return config.experiments["main"].depths[0] if "main" in config.experiments else 20


def _latency(config: Config) -> Latency:
    if config.latency is None:
        raise ConfigError("latency: missing. Add this key to measure latency; see the comments of config.yaml.")
    return config.latency


def latency_models(config: Config) -> str:
    """The model folders of each timed system by role, as JSON; the first seed's."""
    if config.latency is None:
        return "{}"
    found = {}
    for name in config.latency.systems:
        roles = {"retriever": config.systems[name].retriever, "reranker": config.systems[name].reranker}
        start = config.latency.backbone, config.latency.training_set
        found[name] = {
            role: f"results/models/{model_folder(*start, objective, config.seeds[0])}/model"
            for role, objective in roles.items()
            if objective
        }
    return settings(found)


def latency_inputs(config: Config) -> dict[str, Any]:
    latency = _latency(config)
    test_set = config.test_sets[latency.test_set]
    models = {folder for roles in json.loads(latency_models(config)).values() for folder in roles.values()}
    place = f"{test_set.dataset}/{test_set.split}"
    return {"data": f"results/data/{place}", "regions": f"results/regions/{place}", "models": sorted(models)}


def latency_reading_settings(config: Config) -> str:
    return reading_settings(config, config.latency.backbone) if config.latency else "{}"


def latency_embeddings(config: Config) -> str:
    """The embeddings on which index types are compared: the first timed retriever's."""
    if config.latency is None:
        return []  # type: ignore[return-value]
    latency = config.latency
    retrievers = [config.systems[name].retriever for name in latency.systems if config.systems[name].retriever]
    test_set = config.test_sets[latency.test_set]
    model = model_folder(latency.backbone, latency.training_set, str(retrievers[0]), config.seeds[0])
    return f"results/embeddings/{model}/{test_set.dataset}/{test_set.split}"


def index_factories(config: Config) -> str:
    return settings(list(config.latency.indexes)) if config.latency else "[]"


def index_vectors(config: Config) -> int:
    return config.latency.index_vectors if config.latency else 0


def _scope(config: Config, experiment: Experiment) -> dict[str, Any]:
    """The first of each list of an experiment: what a table is about unless it says otherwise."""
    backbone = experiment.backbones[0]
    return {
        "backbone": backbone,
        "training_set": experiment.training_sets[-1],
        "test_set": experiment.test_sets[0],
        "language": config.backbones[backbone].languages[0],
        "depth": experiment.depths[0],
    }


def report_settings(config: Config, name: str) -> str:
    """What a table or figure needs to know of the configuration, as JSON."""
    main = config.experiments.get("main")
    own = config.experiments.get({"table1_main": "main", "table2_languages": "languages"}.get(name, name))
    extra = {"table1_main": "main_exhaustive", "accuracy_latency": "main_exhaustive"}.get(name)
    about = own if name in ("table1_main", "table2_languages", "twins", "depth", "fusion") else main or own
    other = config.experiments.get(extra) if extra else own
    systems = list(dict.fromkeys(system for e in (other, own) if e for system in e.systems))
    fractions = {n: config.training_sets[n].fraction for n in own.training_sets} if own else {}
    return settings(
        {
            "scope": _scope(config, about) if about else {},
            "dataset": ", ".join(config.datasets),
            "labels": {key: system.label for key, system in config.systems.items()},
            "systems": [system for system in config.systems if system in systems],
            "other_test_set": other.test_sets[0] if other else "",
            "fractions": fractions,
            "languages": config.backbones[about.backbones[0]].languages if about else (),
            "seeds": len(config.seeds),
        }
    )


def table_inputs(config: Config, table: str) -> list[str]:
    """The folders or the file that a table is made from."""
    if table == "claims":
        return ["results/comparisons.csv"]
    if table == "region_recall":
        return _scene_splits(config)
    if table == "index_recall":
        return ["results/index_recall"]
    if table in LATENCY_TABLES:
        return ["results/latency"]
    if table not in TABLES_OF_EXPERIMENTS:
        raise ConfigError(f"no table is called {table!r}; there are {tables(config)}")
    return measures(config, table)


def figure_inputs(config: Config, figure: str) -> list[str]:
    """The folders that a figure is made from."""
    if figure == "learning_curves":
        main = config.experiments["main"] if "main" in config.experiments else next(iter(config.experiments.values()))
        chosen = [e for e in (main, config.experiments.get("hard_negatives")) if e]
        models = {
            model_folder(e.backbone, e.training_set, objective, config.seeds[0])
            for e in evaluations(config, chosen)
            for objective in objectives_of(config, e.system)
        }
        return [f"results/models/{model}/model" for model in sorted(models)]
    if figure == "latency":
        return ["results/latency"]
    if figure == "accuracy_latency":
        return ["results/latency", *dict.fromkeys(measures(config, "depth") + measures(config, "table1_main"))]
    if figure in ("depth", "sample_efficiency"):
        return list(dict.fromkeys(measures(config, figure) + measures(config, "table1_main")))
    raise ConfigError(f"no figure is called {figure!r}; there are {figures(config)}")


def page_inputs(config: Config) -> dict[str, list[str] | str]:
    """What the report's page shows: all tables and figures, provenance of the models, and examples if there are any."""
    return {
        "tables": [f"results/tables/{table}.json" for table in tables(config)],
        "figures": [f"results/figures/{figure}.txt" for figure in figures(config)],
        "models": [f"results/models/{model}/model" for model in trained_models(config)],
        **_example_inputs(config),
    }


def _example_inputs(config: Config) -> dict[str, str]:
    """Where the examples of re-ranking come from: the main experiment's first system that re-ranks."""
    main = config.experiments.get("main")
    rerankers = [s for s in main.systems if config.systems[s].retriever and config.systems[s].reranker] if main else []
    if not main or not rerankers:
        return {}
    test_set = config.test_sets[main.test_sets[0]]
    wildcards = SimpleNamespace(
        backbone=main.backbones[0],
        training_set=main.training_sets[0],
        system=rerankers[0],
        seed=config.seeds[0],
        test_set=main.test_sets[0],
    )
    return {
        "regions": f"results/regions/{test_set.dataset}/{test_set.split}",
        **measure_inputs(config, wildcards),
    }


def page_settings(config: Config) -> str:
    """The page's words on the run: seeds, datasets, the language and depth of its examples."""
    main = config.experiments.get("main")
    return settings(
        {
            "tables": tables(config),
            "figures": figures(config),
            "models": [f"results/models/{model}/model" for model in trained_models(config)],
            "examples": _example_inputs(config),
            "language": config.backbones[main.backbones[0]].languages[0] if main else "",
            "depth": main_depth(config),
            "labels": {key: system.label for key, system in config.systems.items()},
            "seeds": list(config.seeds),
            "datasets": {name: dataset.kind for name, dataset in config.datasets.items()},
        }
    )
