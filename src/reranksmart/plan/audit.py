"""What a training set is tested on, and which of it must share no image with what it trains on."""

from typing import Any

from reranksmart.config.schema import Config
from reranksmart.plan.experiments import evaluations
from reranksmart.plan.names import audit_file, data_folder, gallery_of, languages_read, pretraining_split, settings


def tested_with(config: Config, training_set: str) -> list[str]:
    """The test sets on which models of a training set are measured."""
    found = {e.test_set for e in evaluations(config, config.experiments.values()) if e.training_set == training_set}
    found |= {c.test_set for c in config.comparisons if c.training_set == training_set}
    if config.latency and config.latency.training_set == training_set:
        found.add(config.latency.test_set)
    return sorted(found)


def audited(config: Config) -> list[str]:
    """The training sets whose models are measured."""
    return [name for name in config.training_sets if tested_with(config, name)]


def audits_of(config: Config, dataset: str) -> list[str]:
    """The audits that must pass before anything is made from a dataset's training images."""
    return [audit_file(name) for name in audited(config) if config.training_sets[name].dataset == dataset]


def audit_folders(config: Config, training_set: str) -> list[str]:
    """The splits that an audit reads, each once."""
    places = list(_learned(config, training_set).values())
    for name in tested_with(config, training_set):
        places += gallery_of(config.test_sets[name]).places
    return [data_folder(*place) for place in dict.fromkeys(places)]


def _learned(config: Config, training_set: str) -> dict[str, tuple[str, str]]:
    """Dataset and split of what models of a training set learn from, by role: also what their backbones were made on."""
    chosen = config.training_sets[training_set]
    used = [e for e in config.experiments.values() if training_set in e.training_sets]
    made_on = {pretraining_split(config, name, chosen) for experiment in used for name in experiment.backbones}
    splits = {"train": chosen.split, "dev": chosen.dev_split}
    splits |= {f"backbone: {split}": split for split in sorted(made_on - {chosen.split})}
    return {role: (chosen.dataset, split) for role, split in splits.items()}


def audit_settings(config: Config, training_set: str) -> str:
    """The training set's splits by role, those of each test set, and the test sets whose leak is allowed."""
    tested = {
        name: ["/".join(place) for place in gallery_of(config.test_sets[name]).places]
        for name in tested_with(config, training_set)
    }
    allowed = sorted({leak.test_set for leak in config.allowed_leaks if leak.training_set == training_set})
    trained = {role: "/".join(place) for role, place in _learned(config, training_set).items()}
    measured = {name: languages_tested(config, training_set, name) for name in tested}
    asked = {"training_set": training_set, "trained": trained, "tested": tested, "allowed": allowed}
    return settings({**asked, "languages": measured, "doubles": config.training_sets[training_set].doubles})


def languages_tested(config: Config, training_set: str, test_set: str) -> list[str]:
    """The languages in which models of a training set are measured on a test set."""
    roles = {
        own
        for e in evaluations(config, config.experiments.values())
        if (e.training_set, e.test_set) == (training_set, test_set)
        for own, _ in config.systems[e.system].roles(e.backbone).values()
    }
    dataset = config.test_sets[test_set].dataset
    return sorted({language for own in roles for language in languages_read(config, own, dataset)})


def audit_inputs(config: Config, wildcards: Any) -> list[str]:
    return audit_folders(config, wildcards.training_set)


def audits_before(config: Config, wildcards: Any) -> list[str]:
    """The audits that must pass before a model is trained or measured: of its training set, and inside a dataset of one's own.

    The splits of published datasets overlap by design.
    """
    dataset = config.training_sets[wildcards.training_set].dataset
    inside = [f"results/data/{dataset}/audit.json"] if config.datasets[dataset].disjoint else []
    return [audit_file(wildcards.training_set), *inside]
