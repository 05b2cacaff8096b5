"""What models read of images: regions of a detector, pixels as a checkpoint wants them, or stored vision states."""

from typing import Any

from reranksmart.config.schema import Config
from reranksmart.plan.names import gallery_folders, made_model, model_folder, one_of


def training_images(config: Config, backbone: str) -> str:
    """The folder with what a training reads of each split's images: the tower that would make states is trained."""
    roots = {"regions": "results/regions", "pictures": "results/data"}
    return roots.get(config.backbones[backbone].sees, f"results/pixels/{backbone}")


def image_root(config: Config, backbone: str, training_set: str, objective: str, seed: int) -> str:
    """The folder with what a trained model reads of each split's images."""
    if config.backbones[backbone].sees == "states":
        return f"results/states/{model_folder(backbone, training_set, objective, seed)}"
    return training_images(config, backbone)


def split_images(config: Config, wildcards: Any) -> str:
    """The images of a split as the model of an objective reads them."""
    root = image_root(config, wildcards.backbone, wildcards.training_set, wildcards.objective, wildcards.seed)
    return f"{root}/{wildcards.dataset}/{wildcards.split}"


def reranker_of(wildcards: Any) -> tuple[str, str]:
    """Backbone and objective of the reranker in a path: ``joint``, or ``blip.joint`` beside another retriever."""
    backbone, dot, objective = wildcards.reranker.rpartition(".")
    return (backbone if dot else wildcards.backbone), objective


def reranker_model(wildcards: Any) -> str:
    backbone, objective = reranker_of(wildcards)
    return made_model(model_folder(backbone, wildcards.training_set, objective, wildcards.seed))


def reranker_images(config: Config, wildcards: Any) -> list[str]:
    """The images of a gallery as the reranker reads them, a folder for each split."""
    backbone, objective = reranker_of(wildcards)
    root = image_root(config, backbone, wildcards.training_set, objective, wildcards.seed)
    return gallery_folders(root, wildcards.gallery)


def rerankers(config: Config) -> str:
    """A regular expression of the rerankers that stand in paths: objectives, or those of a backbone of their own."""
    joined = {f"{backbone}\\.{objective}" for backbone in config.backbones for objective in config.objectives}
    return one_of([*config.objectives, *joined])


def seeing(config: Config, *sights: str) -> str:
    """A regular expression of the backbones whose models read such images."""
    return one_of(name for name, backbone in config.backbones.items() if backbone.sees in sights)
