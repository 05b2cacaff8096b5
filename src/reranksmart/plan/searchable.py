"""What a searchable index is made of."""

from typing import Any

from reranksmart.config.backbones import Reading
from reranksmart.config.schema import Config
from reranksmart.plan.absence import learned_absence
from reranksmart.plan.images import image_root
from reranksmart.plan.names import gallery_folders, gallery_name, gallery_reading_settings, made_model, model_folder
from reranksmart.values.settings import ConfigError


def searchable_inputs(config: Config, wildcards: Any) -> dict[str, str | list[str]]:
    """The models of a system and the data, images and embeddings of a test set's gallery, by role."""
    system = config.systems[wildcards.system]
    if system.retriever is None or system.reranker is None:
        able = [name for name, other in config.systems.items() if other.retriever and other.reranker]
        raise ConfigError(f"system {wildcards.system!r} does not both retrieve and re-rank; searchable are {able}")
    if system.normalised or system.neighbours:
        raise ConfigError(
            f"system {wildcards.system!r} ranks as no index does (normalised, neighbours); take the plain one"
        )
    gallery = gallery_name(config.test_sets[wildcards.test_set])
    roles = {
        role: (backbone, wildcards.training_set, objective, wildcards.seed)
        for role, (backbone, objective) in system.roles(wildcards.backbone).items()
    }
    retriever, reranker = (model_folder(*roles[role]) for role in ("retriever", "reranker"))
    return {
        "model": made_model(retriever),
        "reranker": made_model(reranker),
        "data": gallery_folders("results/data", gallery),
        "images": gallery_folders(image_root(config, *roles["reranker"]), gallery),
        "absence": learned_absence(config, wildcards),
        "embeddings": gallery_folders(f"results/embeddings/{retriever}", gallery),
    }


def searchable_settings(config: Config, wildcards: Any) -> dict[str, str]:
    """The retriever's reading settings, and the tokens that the reranker reads of a text."""
    roles = config.systems[wildcards.system].roles(wildcards.backbone)
    gallery = gallery_name(config.test_sets[wildcards.test_set])
    retriever, reranker = (
        gallery_reading_settings(config, roles[role][0], gallery) for role in ("retriever", "reranker")
    )
    return {"reading": retriever, "reranker_tokens": str(Reading.model_validate_json(reranker).max_tokens)}
