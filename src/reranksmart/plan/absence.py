"""What measures of "nothing here matches" read."""

from typing import Any

from reranksmart.config.schema import Config
from reranksmart.config.tables import kind_of
from reranksmart.plan.entries import experiments_of
from reranksmart.plan.experiments import Evaluation, dev_gallery, evaluations
from reranksmart.plan.measures import answers, evaluation_options, measure_inputs
from reranksmart.plan.names import relevance_file, verb_options
from reranksmart.report.kinds import table_kinds

KIND = "absence"


def absence_inputs(config: Config, wildcards: Any) -> dict[str, list[str]]:
    """The candidates, scores and relevance of a test set and of dev, by role."""
    tested = {role: paths for role, paths in measure_inputs(config, wildcards).items() if not role.startswith("dev_")}
    dev = dev_gallery(config, wildcards.training_set)
    learned = {f"dev_{role}": paths for role, paths in answers(config, wildcards, [dev]).items()}
    return {**tested, "dev_relevance": [relevance_file(dev)], **learned}


def absence_options(config: Config, wildcards: Any) -> str:
    """The options of ``reranksmart evaluate-absence``, quoted for a shell."""
    values = {
        **evaluation_options(config, wildcards),
        "--depth": str(config.depth),
        "--rates": ",".join(f"{rate:g}" for rate in config.false_alarms),
    }
    return verb_options(absence_inputs(config, wildcards), values)


def learned_absence(config: Config, wildcards: Any) -> list[str]:
    """The folder of what a system learned on dev, where a table shows it of this test set; empty elsewhere."""
    shown = [entry for entry in config.tables.values() if kind_of("tables", entry) is table_kinds()[KIND]]
    asked = {found for entry in shown for found in evaluations(config, experiments_of(config, entry))}
    one = Evaluation(
        wildcards.backbone, wildcards.training_set, wildcards.system, int(wildcards.seed), wildcards.test_set
    )
    return [f"results/absence/{one.folder}"] if one in asked else []
