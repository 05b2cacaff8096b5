"""The jobs that run models for experiments, each once: its rule and the wildcards of its path."""

from collections.abc import Iterable

from reranksmart.config.experiments import Experiment
from reranksmart.config.schema import Config
from reranksmart.plan.experiments import evaluations
from reranksmart.plan.measures import made_by
from reranksmart.plan.names import gallery_names
from reranksmart.values.gallery import Gallery

Job = tuple[str, tuple[tuple[str, str], ...]]


def jobs_of(config: Config, experiments: Iterable[Experiment]) -> set[Job]:
    """Rule and wildcards of every training, encoding, scoring and evaluation of the experiments."""
    found: set[Job] = set()
    for asked in evaluations(config, experiments):
        of_all = {"training_set": asked.training_set, "seed": str(asked.seed)}
        system = config.systems[asked.system]
        roles, made = system.roles(asked.backbone), made_by(system, asked.backbone)
        trained = [(own, objective) for own, objective in roles.values() if config.objectives[objective].steps]
        found |= {_job("train", of_all, backbone=own, objective=objective) for own, objective in trained}
        found.add(_job("evaluate", of_all, backbone=asked.backbone, system=asked.system, test_set=asked.test_set))
        for gallery in gallery_names(config.test_sets[asked.test_set]):
            if "retriever" in roles:
                own, objective = roles["retriever"]
                read = {"backbone": own, "objective": objective}
                found |= {_job("encode", of_all, **read, dataset=d, split=s) for d, s in Gallery.parse(gallery).places}
                found.add(_job("index", of_all, **read, gallery=gallery))
            if "pair_scores" in made:
                own, names = made["pair_scores"]
                retriever, reranker = names.split("-")
                scored = {"backbone": own, "retriever": retriever, "reranker": reranker}
                found.add(_job("score_candidates", of_all, **scored, gallery=gallery))
            if "exhaustive" in made:
                own, reranker = made["exhaustive"]
                found.add(_job("score_all", of_all, backbone=own, reranker=reranker, gallery=gallery))
    return found


def _job(rule: str, of_all: dict[str, str], **wildcards: str) -> Job:
    return rule, tuple(sorted({**of_all, **wildcards}.items()))
