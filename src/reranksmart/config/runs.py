"""What a run, a backbone's system on a test set, needs of the three."""

from reranksmart.config.keys import Keys
from reranksmart.config.pretrained import PretrainedBackbone


def require_runs_possible(keys: Keys) -> None:
    """ValueError where a backbone cannot do what a system asks, see what a test set shows, or read its language."""
    for path, backbone, system, test_set in _runs(keys):
        _require_capable(keys, path, backbone, system)
        _require_seen(keys, path, backbone, system, test_set)
        _require_a_language(keys, path, backbone, system, test_set)


def require_log_odds_for_probabilities(keys: Keys) -> None:
    """ValueError where a fusion takes the probability of a match from a score that is none."""
    for name, experiment in keys.experiments.items():
        if all(fusion.method != "weighted_probability" for fusion in experiment.fusions):
            continue
        roles = [
            keys.systems[system].roles(backbone) for system in experiment.systems for backbone in experiment.backbones
        ]
        for backbone in sorted({found["reranker"][0] for found in roles if "reranker" in found}):
            if (score := keys.backbones[backbone].score) != "log_odds":
                raise ValueError(
                    f"experiments.{name}.fusions: weighted_probability takes the probability of a match, which a "
                    f"{score} does not give. Set backbones.{backbone}.score to log_odds, or leave it out."
                )


def _runs(keys: Keys) -> list[tuple[str, str, str, str]]:
    """Where a backbone's system is run on a test set: the key, and the three names."""
    found = [
        (f"experiments.{name}", backbone, system, test_set)
        for name, experiment in keys.experiments.items()
        for backbone in experiment.backbones
        for system in experiment.systems
        for test_set in experiment.test_sets
    ]
    latency = keys.latency
    found += [("latency", latency.backbone, name, latency.test_set) for name in latency.systems] if latency else []
    return found


def _require_capable(keys: Keys, path: str, backbone: str, system: str) -> None:
    roles = keys.systems[system].roles(backbone)
    for own, objective in roles.values():
        able = keys.backbones[own].capabilities
        for task in keys.objectives[objective].tasks:
            if task.replace("sampled_triplet", "bi_encoder") not in able:
                raise ValueError(
                    f"{path}: system {system!r} needs objective {objective!r}, whose task {task!r} backbone "
                    f"{own!r} cannot do (it can: {list(able)}). Choose another system or backbone."
                )
        if isinstance(keys.backbones[own], PretrainedBackbone):
            _require_only_of_regions(keys, path, system, own, objective)
    spoken = {own: keys.backbones[own].languages for own, _ in roles.values()}
    if len(set(spoken.values())) > 1:
        told = ", ".join(f"{own} {list(languages)}" for own, languages in spoken.items())
        raise ValueError(
            f"{path}: system {system!r} joins backbones of different languages ({told}); set their languages alike."
        )


def _require_only_of_regions(keys: Keys, path: str, system: str, backbone: str, objective: str) -> None:
    chosen = keys.objectives[objective]
    for key, needed in (("cached_layers", chosen.cached_layers > 0), ("decay", chosen.decay == "reference")):
        if needed:
            raise ValueError(
                f"{path}: system {system!r} needs objective {objective!r}, whose {key} {getattr(chosen, key)!r} only "
                f"backbones of regions have, but {backbone!r} is a pretrained one. Choose another system or backbone."
            )


def _require_seen(keys: Keys, path: str, backbone: str, system: str, test_set: str) -> None:
    """ValueError where a model that reads pixels is to read a dataset of region features alone."""
    dataset = keys.test_sets[test_set].dataset
    source = keys.datasets[dataset]
    for own, _ in keys.systems[system].roles(backbone).values():
        if keys.backbones[own].sees != "regions" and not source.has_pictures:
            raise ValueError(
                f"{path}: backbone {own!r} reads pictures, but datasets.{dataset}.images names none. Give the "
                "folders of its pictures."
            )


def _require_a_language(keys: Keys, path: str, backbone: str, system: str, test_set: str) -> None:
    dataset = keys.test_sets[test_set].dataset
    own, _ = next(iter(keys.systems[system].roles(backbone).values()))  # those of both roles are alike
    read, written = keys.backbones[own].languages, keys.datasets[dataset].languages
    if not set(read) & set(written):
        raise ValueError(
            f"{path}: backbone {own!r} reads {list(read)}, but dataset {dataset!r} of test set {test_set!r} is in "
            f"{list(written)}. Choose another test set, or add one of its languages to the backbone's."
        )
