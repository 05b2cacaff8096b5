"""References of the configuration to what it defines: names and splits that must exist."""

import difflib

from reranksmart.config.backbones import Backbone
from reranksmart.config.costs import Latency
from reranksmart.config.experiments import Comparison
from reranksmart.config.keys import Keys


def require_names_exist(keys: Keys) -> None:
    """ValueError where a name or split is not defined, or one to learn from or measure on has no captions."""
    for path, kind, name in _references(keys):
        known = list(getattr(keys, kind))
        if name not in known:
            raise ValueError(f"{path}: {name!r} is not among {kind}: {known}. {nearest(name, known)}")
    for path, dataset, split in _split_references(keys):
        known = list(keys.datasets[dataset].splits)
        if split not in known:
            raise ValueError(
                f"{path}: dataset {dataset!r} has no split {split!r}; it has {known}. {nearest(split, known)}"
            )
    for path, dataset, split in _captioned_splits(keys):
        source = keys.datasets[dataset]
        if not source.has_captions(split):
            raise ValueError(
                f"{path}: split {split!r} of dataset {dataset!r} has no captions, so that nothing can be learned or "
                "measured on it. Name its captions file; without one it can only be searched."
            )


def nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f"Did you mean {close[0]!r}?" if close else f"Use one of {known}."


def _references(keys: Keys) -> list[tuple[str, str, str]]:
    found = [(f"training_sets.{n}.dataset", "datasets", t.dataset) for n, t in keys.training_sets.items()]
    found += [(f"test_sets.{n}.dataset", "datasets", t.dataset) for n, t in keys.test_sets.items()]
    found += [
        (f"test_sets.{n}.distractors", "datasets", split.split(".")[0])
        for n, t in keys.test_sets.items()
        for split in t.distractors
        if "." in split
    ]
    for n, leak in enumerate(keys.allowed_leaks):
        found += [(f"allowed_leaks.{n}.{k}", f"{k}s", getattr(leak, k)) for k in ("training_set", "test_set")]
    for name, objective in keys.objectives.items():
        if objective.hard_negatives and (miner := objective.hard_negatives.mined_by):
            found.append((f"objectives.{name}.hard_negatives.mined_by", "objectives", miner))
    for name, system in keys.systems.items():
        for role in ("retriever", "reranker"):
            if getattr(system, role):
                found.append((f"systems.{name}.{role}", "objectives", getattr(system, role)))
            if own := getattr(system, f"{role}_backbone"):
                found.append((f"systems.{name}.{role}_backbone", "backbones", own))
    for name, experiment in keys.experiments.items():
        for kind in ("backbones", "training_sets", "systems", "test_sets"):
            found += [(f"experiments.{name}.{kind}", kind, value) for value in getattr(experiment, kind)]
    for section in ("tables", "figures"):
        for name, entry in getattr(keys, section).items():
            found += [(f"{section}.{name}.experiments", "experiments", e) for e in getattr(entry, "experiments", ())]
    found += [("headline", "tables", keys.headline)] if keys.headline else []
    single: list[tuple[str, Comparison | Latency]] = [(f"comparisons.{n}", c) for n, c in enumerate(keys.comparisons)]
    for path, asked in [*single, *([("latency", keys.latency)] if keys.latency else [])]:
        for kind in ("backbone", "training_set", "test_set"):
            found.append((f"{path}.{kind}", f"{kind}s", getattr(asked, kind)))
        found += [(f"{path}.systems", "systems", system) for system in asked.systems]
    return found


def _split_references(keys: Keys) -> list[tuple[str, str, str]]:
    found = []
    for name, backbone in keys.backbones.items():
        wanted = backbone.pretraining.split if isinstance(backbone, Backbone) else None
        learned = [known.dataset for known in keys.training_sets.values()]
        if wanted and not any(wanted in keys.datasets[dataset].splits for dataset in learned):
            found += [(f"backbones.{name}.pretraining.split", dataset, wanted) for dataset in learned]
    for name, training_set in keys.training_sets.items():
        found.append((f"training_sets.{name}.split", training_set.dataset, training_set.split))
        found.append((f"training_sets.{name}.dev_split", training_set.dataset, training_set.dev_split))
    for name, test_set in keys.test_sets.items():
        for split in (*test_set.splits, *test_set.distractors):
            other, dot, rest = split.partition(".")
            place = (other, rest) if dot else (test_set.dataset, split)
            found.append((f"test_sets.{name}", *place))
    return found


def _captioned_splits(keys: Keys) -> list[tuple[str, str, str]]:
    """The splits that are trained or measured on, which takes captions."""
    used = {name for experiment in keys.experiments.values() for name in experiment.test_sets}
    used |= {comparison.test_set for comparison in keys.comparisons}
    used |= {keys.latency.test_set} if keys.latency else set()
    return [
        found
        for found in _split_references(keys)
        if found[0].startswith("training_sets.") or found[0].removeprefix("test_sets.") in used
    ]
