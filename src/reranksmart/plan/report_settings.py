"""What each table and figure of the report, and its page, needs to know of the configuration, as JSON."""

from __future__ import annotations

from typing import Any

from reranksmart.config import Config, Experiment
from reranksmart.plan import languages_read, retrieving_and_reranking, settings, trained_models
from reranksmart.plan.contents import (
    LATENCY_TABLES,
    TABLES_OF_EXPERIMENTS,
    example_inputs,
    figures,
    has_own_table,
    table_leaks,
    tables,
)

_KINDS = {names[0]: table for table, names in TABLES_OF_EXPERIMENTS.items()}
_KINDS |= {"transfer": "transfer_matrix", "enlarged_gallery": "enlarged_galleries"}
"""The kind of table by what an experiment says that it is shown as."""


def of(config: Config, name: str) -> str:
    """What a table or figure needs to know of the configuration, as JSON."""
    if has_own_table(config, name):
        return _shown_settings(config, name)
    main = config.experiments.get("main")
    own = config.experiments.get({"table1_main": "main", "table2_languages": "languages"}.get(name, name))
    extra = {"table1_main": "main_exhaustive", "accuracy_latency": "main_exhaustive"}.get(name)
    about = (
        own
        if name in ("table1_main", "table2_languages", "twins", "depth", "fusion", "eccv_caption", "cxc")
        else main or own
    )
    other = config.experiments.get(extra) if extra else own
    systems = [system for e in (other, own) if e for system in e.systems]
    if name == "precision":
        systems = [system for system in [retrieving_and_reranking(config)] if system]
    fractions = {n: config.training_sets[n].fraction for n in own.training_sets} if own else {}
    return settings(
        {
            "scope": _scope(config, about) if about else {},
            "dataset": _dataset(
                config, config.latency.test_set if config.latency and name in (*LATENCY_TABLES, "precision") else ""
            )
            or _dataset(config, about.test_sets[0] if about else "")
            or ", ".join(config.datasets),
            "labels": {key: system.label for key, system in config.systems.items()},
            "systems": [system for system in config.systems if system in systems],
            "other_test_set": other.test_sets[0] if other else "",
            "fractions": fractions,
            "languages": _languages(config, about) if about else (),
            "published": own.published if own else (),
            "backbones": _several_backbones(config, own),
            "test_sets": _compared_test_sets(config) if name == "claims" else (),
            "seeds": len(config.seeds),
            "audits": table_leaks(config, name),
            **({"planned": config.planned_evaluation} if name == "planned_evaluation" else {}),
        }
    )


def _shown_settings(config: Config, name: str) -> str:
    """The settings of a table that an experiment asks for by ``shown_as``: all of it is in that experiment."""
    own = config.experiments[name]
    named = own.test_sets if own.shown_as == "transfer" else own.test_sets[:1]
    label = " and ".join(filter(None, (_dataset(config, test_set) for test_set in named)))
    backbone = own.backbones[0]
    is_the_papers = getattr(config.backbones[backbone], "embedder", "") == (
        "m3p" if own.shown_as == "languages" else "oscar"
    )
    return settings(
        {
            "scope": _scope(config, own),
            "dataset": label or ", ".join(config.datasets),
            "title": label if is_the_papers else ", ".join((label, *own.backbones)),
            "paper_dataset": label if is_the_papers else "",
            "kind": _KINDS[str(own.shown_as)],
            "labels": {key: system.label for key, system in config.systems.items()},
            "systems": [system for system in config.systems if system in own.systems],
            "other_test_set": own.test_sets[-1] if len(own.test_sets) > 1 else "",
            "fractions": {n: config.training_sets[n].fraction for n in own.training_sets},
            "test_sets": [(n, config.test_sets[n].label or n) for n in own.test_sets],
            "languages": _languages(config, own),
            "published": own.published,
            "backbones": _several_backbones(config, own),
            "seeds": len(config.seeds),
            "audits": table_leaks(config, name),
        }
    )


def of_page(config: Config) -> str:
    """The page's words on the run: seeds, datasets, the language and depth of its examples."""
    main = config.experiments.get("main")
    return settings(
        {
            "tables": tables(config),
            "figures": figures(config),
            "models": [f"results/models/{model}/model" for model in trained_models(config)],
            "examples": example_inputs(config),
            "language": _languages(config, main)[0] if main else "",
            "depth": config.main_depth,
            "labels": {key: system.label for key, system in config.systems.items()},
            "seeds": list(config.seeds),
            "datasets": {name: dataset.kind for name, dataset in config.datasets.items()},
        }
    )


def _scope(config: Config, experiment: Experiment) -> dict[str, Any]:
    """The first of each list of an experiment: what a table is about unless it says otherwise."""
    backbone = experiment.backbones[0]
    return {
        "backbone": backbone,
        "training_set": experiment.training_sets[-1],
        "test_set": experiment.test_sets[0],
        "language": _languages(config, experiment)[0],
        "depth": experiment.depths[0],
    }


def _several_backbones(config: Config, experiment: Experiment | None) -> list[tuple[str, str]]:
    """The backbones of an experiment and the language of each one's rows; none where there is but one."""
    names = experiment.backbones if experiment else ()
    return [(name, _languages(config, experiment, name)[0]) for name in names] if experiment and len(names) > 1 else []


def _languages(config: Config, experiment: Experiment, backbone: str | None = None) -> tuple[str, ...]:
    """The languages in which an experiment measures a backbone, or its first one."""
    name = backbone or experiment.backbones[0]
    read = languages_read(config, name, config.test_sets[experiment.test_sets[0]].dataset)
    return read or config.backbones[name].languages  # where only other backbones read, whose own the systems name


def _compared_test_sets(config: Config) -> list[tuple[str, str]]:
    names = dict.fromkeys(comparison.test_set for comparison in config.comparisons)
    return [(name, _dataset(config, name)) for name in names]


def _dataset(config: Config, test_set: str) -> str:
    """A test set's name in tables; empty where it has none."""
    return (config.test_sets[test_set].label or "") if test_set else ""
