"""What the report's page shows and reads: all tables and figures, provenance of the models, and examples."""

from types import SimpleNamespace

from reranksmart.config.schema import Config
from reranksmart.plan.entries import labels_of, languages, roles_of, words
from reranksmart.plan.experiments import trained_models
from reranksmart.plan.measures import measure_inputs
from reranksmart.plan.names import made_model, region_folder, settings


def page_inputs(config: Config) -> dict[str, list[str] | str]:
    return {
        "tables": [f"results/tables/{table}.json" for table in config.tables],
        "figures": [f"results/figures/{figure}.{suffix}" for figure in config.figures for suffix in ("txt", "svg")],
        "models": [made_model(model) for model in trained_models(config)],
        "comparisons": ["results/comparisons.csv"] if config.comparisons else [],
        **example_inputs(config),
    }


def page_settings(config: Config) -> str:
    """The page's words on the run, and its inputs, as JSON."""
    first = config.headline_experiment
    return settings(
        {
            **{key: paths for key, paths in page_inputs(config).items() if isinstance(paths, list)},
            "benchmarks": "results/benchmarks",
            "headline": config.headline_table,
            "examples": example_inputs(config),
            "language": languages(config, first)[0] if first else "",
            "depth": config.depth,
            "labels": labels_of(config),
            "roles": roles_of(config, config.systems),
            "words": words(config, dict.fromkeys(comparison.test_set for comparison in config.comparisons)),
            "seeds": list(config.seeds),
            "datasets": {name: dataset.about for name, dataset in config.datasets.items()},
        }
    )


def example_inputs(config: Config) -> dict[str, str]:
    """Where the examples of re-ranking come from: the headline's first system that re-ranks."""
    main = config.headline_experiment
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
    place = region_folder(test_set.dataset, test_set.splits[0])
    return {
        **({"regions": place} if "regions" in sights else {}),
        **{role: found[0] for role, found in measure_inputs(config, wildcards).items()},
    }
