"""What experiments, comparisons and timings ask for, where a model would answer something else, or nothing."""

from reranksmart.config.experiments import Comparison, Experiment
from reranksmart.config.keys import Keys


def require_answers(keys: Keys) -> None:
    """ValueError where more candidates are re-ranked than are kept, or a test has no measures.

    Also where negatives are to be mined by a model that cannot search, or waits for another itself.
    """
    for name, objective in keys.objectives.items():
        if objective.hard_negatives and (miner := objective.hard_negatives.mined_by):
            _require_miner(keys, f"objectives.{name}.hard_negatives.mined_by", miner)
    for name, experiment in keys.experiments.items():
        _require_candidates(keys, name, experiment)
    for number, comparison in enumerate(keys.comparisons):
        for system in comparison.systems:
            _require_measured(keys, f"comparisons.{number}", comparison, system)
    if keys.latency and not any(keys.systems[name].retriever for name in keys.latency.systems):
        raise ValueError(
            f"latency.systems: none of {list(keys.latency.systems)} retrieves, and index types are compared on a "
            "retriever's vectors. Add a system with a retriever, or set latency to null."
        )


def require_numbers_judged(keys: Keys) -> None:
    """ValueError where extended relevance is asked of captions that have none of COCO's numbers."""
    for name, test_set in keys.test_sets.items():
        dataset = keys.datasets.get(test_set.dataset)
        if test_set.extended_relevance and not (dataset and dataset.numbers_captions(test_set.split)):
            raise ValueError(
                f"test_sets.{name}.extended_relevance: {list(test_set.extended_relevance)} judge COCO's test split by the "
                f"numbers in Karpathy's dataset_coco.json, which split {test_set.split!r} of dataset "
                f"{test_set.dataset!r} is not read from. Leave extended_relevance out, or give that file as annotations."
            )


def _require_miner(keys: Keys, path: str, miner: str) -> None:
    chosen = keys.objectives[miner]
    if not chosen.bi_encoder or (chosen.hard_negatives and chosen.hard_negatives.mined_by):
        raise ValueError(
            f"{path}: {miner!r} has no bi_encoder task, or waits for the negatives of another model itself. Name an objective "
            "whose model can search by itself."
        )


def _reranks(keys: Keys, system: str) -> bool:
    return bool(keys.systems[system].retriever and keys.systems[system].reranker)


def _require_candidates(keys: Keys, name: str, experiment: Experiment) -> None:
    deepest = max(experiment.depths)
    if deepest > keys.candidates and any(_reranks(keys, system) for system in experiment.systems):
        raise ValueError(
            f"experiments.{name}.depths: {deepest} candidates are to be re-ranked, but candidates is {keys.candidates}, "
            f"so that no more are kept of a query's retrieval. Set candidates to {deepest} or more, or lower the depth."
        )


def _require_measured(keys: Keys, path: str, comparison: Comparison, system: str) -> None:
    """ValueError where no experiment measures one side of a paired test, at the depth and with the ranking it reads."""
    found = [
        experiment
        for experiment in keys.experiments.values()
        if comparison.backbone in experiment.backbones
        and comparison.training_set in experiment.training_sets
        and comparison.test_set in experiment.test_sets
        and system in experiment.systems
        and (experiment.seeds or len(keys.seeds)) >= len(keys.seeds)
    ]
    if not found:
        raise ValueError(
            f"{path}: no experiment measures system {system!r} of backbone {comparison.backbone!r} and training set "
            f"{comparison.training_set!r} on test set {comparison.test_set!r} on all seeds; add it to one, or compare what is measured."
        )
    if not _reranks(keys, system):
        return
    if keys.depth not in {depth for experiment in found for depth in experiment.depths}:
        raise ValueError(
            f"{path}: systems are compared at depth {keys.depth} (key depth), at which "
            f"no experiment re-ranks by system {system!r} on test set {comparison.test_set!r}; add it to its depths."
        )
    measured = {fusion.label for experiment in found for fusion in experiment.fusions}
    if comparison.fusion not in measured:
        raise ValueError(
            f"{path}.fusion: {comparison.fusion!r} is compared, but experiments with system {system!r} on test set "
            f"{comparison.test_set!r} measure {sorted(measured)}; add it to their fusions, or compare one of these."
        )
