"""What the report contains: its tables and figures by the experiments that the configuration names, and their inputs."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace

from reranksmart.config import Comparison, Config, ConfigError, Experiment
from reranksmart.plan import (
    Evaluation,
    audited,
    evaluations,
    measure_inputs,
    models_of,
    retrieving_and_reranking,
    trained_models,
)

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
    "eccv_caption": ("eccv_caption",),
    "cxc": ("cxc",),
    "distillation": ("distillation", "main"),
    "cached_layers": ("cached_layers", "main"),
}
_MEASURES_OF_TABLES = {
    "twins": "twins",
    "eccv_caption": "extended_measures/eccv_caption",
    "cxc": "extended_measures/cxc",
}
"""Where the measures of a table lie below results, if not among the others."""
LATENCY_TABLES = ("table3_latency", "table4_evaluation_time", "cost", "index_recall")
_OTHER_TABLES = ("precision", "planned_evaluation", "claims", "region_recall", "audit")


def experiments_of(config: Config, table: str) -> list[Experiment]:
    if has_own_table(config, table):
        return [config.experiments[table]]
    return [config.experiments[name] for name in TABLES_OF_EXPERIMENTS[table] if name in config.experiments]


def is_measured(config: Config, table: str) -> bool:
    """Whether a table is of what models answer, not of time, claims or data."""
    return table in TABLES_OF_EXPERIMENTS or has_own_table(config, table)


def has_own_table(config: Config, table: str) -> bool:
    """Whether a table is that of an experiment which says itself how it is shown."""
    return table in config.experiments and config.experiments[table].shown_as is not None


def measures(config: Config, table: str) -> list[str]:
    """The folders of measures that a table reads."""
    shown = config.experiments[table].shown_as if has_own_table(config, table) else None
    kind = _MEASURES_OF_TABLES.get(shown or table, "measures")
    return [f"results/{kind}/{e.folder}" for e in evaluations(config, experiments_of(config, table))]


def tables(config: Config) -> list[str]:
    """The tables that the configuration asks for; ConfigError where an experiment's has the name of another."""
    own = [name for name in config.experiments if has_own_table(config, name)]
    if taken := sorted(set(own) & {*TABLES_OF_EXPERIMENTS, *LATENCY_TABLES, *_OTHER_TABLES}):
        raise ConfigError(
            f"experiments.{taken[0]}: shown_as gives it a table of its name, but {taken[0]!r} is the name of another "
            "table. Give the experiment a name of its own."
        )
    found = [name for name, names in TABLES_OF_EXPERIMENTS.items() if names[0] in config.experiments]
    found += own
    found += list(LATENCY_TABLES) if config.latency else []
    found += ["precision"] if retrieving_and_reranking(config) else []
    found += ["planned_evaluation"] if config.planned_evaluation else []
    found += ["claims"] if config.comparisons else []
    found += ["region_recall"] if _scene_splits(config) else []
    found += ["audit"] if audited(config) else []
    return found


def measures_without_table(config: Config) -> list[str]:
    """The folders of measures of those experiments that no table shows."""
    shown = [e for table in tables(config) if is_measured(config, table) for e in experiments_of(config, table)]
    others = [experiment for experiment in config.experiments.values() if experiment not in shown]
    return [f"results/measures/{e.folder}" for e in evaluations(config, others)]


def _scene_splits(config: Config) -> list[str]:
    """The region folders of all composed splits, whose true objects are known."""
    composed = {name: dataset for name, dataset in config.datasets.items() if dataset.needs_stamps}
    return [f"results/regions/{name}/{split}" for name, dataset in composed.items() for split in dataset.splits]


def figures(config: Config) -> list[str]:
    found = ["learning_curves"] if _learning(config) else []
    found += ["depth"] if "depth" in config.experiments else []
    found += ["sample_efficiency"] if "sample_efficiency" in config.experiments else []
    found += ["cached_layers"] if "cached_layers" in config.experiments else []
    found += ["latency", "accuracy_latency"] if config.latency else []
    return found


def table_inputs(config: Config, table: str) -> list[str]:
    """The folders or the file that a table is made from."""
    if table == "claims":
        return ["results/comparisons.csv"]
    if table == "region_recall":
        return _scene_splits(config)
    if table == "audit":
        return [f"results/audits/{training_set}.json" for training_set in audited(config)]
    if table == "index_recall":
        return ["results/index_recall"]
    if table in LATENCY_TABLES:
        return ["results/latency"]
    if table == "precision":
        return ["results/precision"]
    if table == "planned_evaluation":
        return ["results/rates"]
    if table not in TABLES_OF_EXPERIMENTS and not has_own_table(config, table):
        raise ConfigError(f"no table is called {table!r}; there are {tables(config)}")
    if table == "cached_layers":
        return ["results/pair_costs", *measures(config, table)]
    return measures(config, table)


def table_leaks(config: Config, table: str) -> list[str]:
    """The audits of those tests in a table whose leak is allowed."""
    tests: Iterable[Evaluation | Comparison] = ()
    if table == "claims":
        tests = config.comparisons
    elif is_measured(config, table):
        tests = evaluations(config, experiments_of(config, table))
    asked = {(test.training_set, test.test_set) for test in tests}
    allowed = {(leak.training_set, leak.test_set) for leak in config.allowed_leaks}
    return [f"results/audits/{training_set}.json" for training_set in sorted({name for name, _ in asked & allowed})]


def _learning(config: Config) -> list[str]:
    """The first seed's trained models of the main experiment and of hard negatives, or of the first that has some."""
    main = config.experiments["main"] if "main" in config.experiments else next(iter(config.experiments.values()))
    first = [e for e in (main, config.experiments.get("hard_negatives")) if e]
    others = (_trained(config, [experiment]) for experiment in config.experiments.values())
    return _trained(config, first) or next((found for found in others if found), [])


def _trained(config: Config, experiments: list[Experiment]) -> list[str]:
    models = {
        model for e in evaluations(config, experiments) if e.seed == config.seeds[0] for model in models_of(config, e)
    }
    return sorted(model for model in models if config.objectives[model.split("/")[2]].steps)


def figure_inputs(config: Config, figure: str) -> list[str]:
    """The folders that a figure is made from."""
    if figure == "learning_curves":
        return [f"results/models/{model}/model" for model in _learning(config)]
    if figure == "cached_layers":
        return ["results/pair_costs", *measures(config, figure)]
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
        **example_inputs(config),
    }


def example_inputs(config: Config) -> dict[str, str]:
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
    sights = {config.backbones[own].sees for own, _ in config.systems[rerankers[0]].roles(main.backbones[0]).values()}
    place = f"results/regions/{test_set.dataset}/{test_set.splits[0]}"
    return {
        **({"regions": place} if "regions" in sights else {}),
        **{role: found[0] for role, found in measure_inputs(config, wildcards).items()},
    }
