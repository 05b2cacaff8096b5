"""Pure functions of the configuration: which files must exist, what each needs, and the digest of a verb's code."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reranksmart.code import code_digest as code_digest
from reranksmart.config import Config, ConfigError, Experiment, Fusion, Latency, Scenes, TestSet
from reranksmart.gallery import Gallery as Gallery


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
