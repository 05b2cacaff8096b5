"""What trainings and embeddings read, and which come first."""

import shlex
from typing import Any

from reranksmart.config.pretrained import PretrainedBackbone, Tuning
from reranksmart.config.schema import Config
from reranksmart.files.code import code_digest
from reranksmart.plan import names
from reranksmart.plan.experiments import dev_gallery
from reranksmart.plan.images import image_root, training_images


def model_code(config: Config, verb: str, *backbones: str) -> str:
    """The digest of a verb's code with that of the families of these backbones, or of all."""
    return code_digest(verb, *sorted({config.backbones[name].module for name in backbones or config.backbones}))


def embedding_folders(wildcards: Any) -> list[str]:
    model = names.model_folder(wildcards.backbone, wildcards.training_set, wildcards.objective, wildcards.seed)
    return names.gallery_folders(f"results/embeddings/{model}", wildcards.gallery)


def judged_inputs(config: Config, wildcards: Any) -> dict[str, str]:
    """What judging mined negatives reads: the model, and the dev split with its labels."""
    training_set = config.training_sets[wildcards.training_set]
    place = f"{training_set.dataset}/{training_set.dev_split}"
    start = wildcards.backbone, wildcards.training_set, wildcards.objective, wildcards.seed
    return {
        "model": names.made_model(names.model_folder(*start)),
        "data": f"results/data/{place}",
        "images": f"{image_root(config, *start)}/{place}",
        "relevance": names.relevance_file(dev_gallery(config, wildcards.training_set)),
    }


def neighbour_embeddings(wildcards: Any) -> list[str]:
    """The gallery as the retriever of a re-ranking embeds it."""
    retriever = wildcards.retriever.removesuffix(names.NORMALISED)
    model = names.model_folder(wildcards.backbone, wildcards.training_set, retriever, wildcards.seed)
    return names.gallery_folders(f"results/embeddings/{model}", wildcards.gallery)


def normalised_inputs(config: Config, wildcards: Any) -> dict[str, str | list[str]]:
    """What a retrieval with hubs pushed back reads: the gallery, and embeddings and captions of training and dev."""
    training_set = config.training_sets[wildcards.training_set]
    model = names.model_folder(wildcards.backbone, wildcards.training_set, wildcards.objective, wildcards.seed)
    bank, dev = (f"{training_set.dataset}/{split}" for split in (training_set.split, training_set.dev_split))
    return {
        "embeddings": embedding_folders(wildcards),
        "data": names.gallery_folders("results/data", wildcards.gallery),
        "bank": f"results/embeddings/{model}/{bank}",
        "bank_data": f"results/data/{bank}",
        "dev": f"results/embeddings/{model}/{dev}",
        "dev_data": f"results/data/{dev}",
        "dev_relevance": names.relevance_file(dev_gallery(config, wildcards.training_set)),
    }


def backbone_folder(config: Config, wildcards: Any) -> str:
    """What a training starts from: a converted checkpoint, or a backbone pretrained on the training set's dataset."""
    if config.backbones[wildcards.backbone].checkpoint:  # a pretrained backbone always has one
        return f"results/checkpoints/{wildcards.backbone}"
    return f"results/backbones/{wildcards.backbone}/{config.training_sets[wildcards.training_set].dataset}"


def pretraining_settings(config: Config, backbone: str) -> str:
    """What making a small backbone depends on: not what its models will rank by."""
    return names.settings(config.backbones[backbone].model_dump(mode="json", exclude={"score"}))


def checkpoint_settings(config: Config, backbone: str) -> str:
    """What converting a checkpoint depends on: not its sizes, which are its own, nor how it is fine-tuned afterwards."""
    chosen = config.backbones[backbone]
    if isinstance(chosen, PretrainedBackbone):
        return names.settings(
            chosen.model_dump(mode="json", exclude={"tuning"} if chosen.library else {"tuning", "library"})
        )
    return chosen.model_dump_json(include={"embedder", "checkpoint", "tokeniser", "normalise_inputs"})


def objective_settings(config: Config, objective: str) -> str:
    """What a model of an objective depends on: not how often its training is saved."""
    return names.settings(config.objectives[objective].model_dump(mode="json", exclude={"checkpoint_every"}))


def tuning_option(config: Config, backbone: str) -> str:
    """How a published model is fine-tuned, as an option of ``reranksmart train``; empty where all of it is."""
    tuning = getattr(config.backbones[backbone], "tuning", Tuning())
    return "" if tuning == Tuning() else f"--tuning {shlex.quote(names.settings(tuning))}"


def taken_as_they_are(config: Config) -> str:
    """A regular expression of the objectives without a step, whose models are published ones."""
    return names.one_of(name for name, objective in config.objectives.items() if not objective.steps)


def trained(config: Config) -> str:
    """A regular expression of the objectives that are trained."""
    return names.one_of(name for name, objective in config.objectives.items() if objective.steps)


def train_inputs(config: Config, wildcards: Any) -> dict[str, str]:
    """What a training reads, by role."""
    training_set = config.training_sets[wildcards.training_set]
    dataset, split, dev = training_set.dataset, training_set.split, training_set.dev_split
    images = training_images(config, wildcards.backbone)
    return {
        "backbone": backbone_folder(config, wildcards),
        "data": names.data_folder(dataset, split),
        "images": f"{images}/{dataset}/{split}",
        "relevance": names.relevance_file(f"{dataset}.{split}"),
        "dev_data": names.data_folder(dataset, dev),
        "dev_images": f"{images}/{dataset}/{dev}",
        "dev_relevance": names.relevance_file(f"{dataset}.{dev}"),
        **miner_of(config, wildcards),
    }


def miner_of(config: Config, wildcards: Any) -> dict[str, str]:
    """The model that mines a training's hard negatives, as an input of that name; none where no other model does."""
    hard = config.objectives[wildcards.objective].hard_negatives
    if hard is None or hard.mined_by is None:
        return {}
    start = wildcards.backbone, wildcards.training_set
    return {"miner": names.made_model(names.model_folder(*start, hard.mined_by, wildcards.seed))}


def pretraining_inputs(config: Config, wildcards: Any) -> dict[str, str | list[str]]:
    """What a small backbone is made from: a split with regions and relevance, and all captions whose words it must know."""
    sets = [known for known in config.training_sets.values() if known.dataset == wildcards.dataset]
    split = names.pretraining_split(config, wildcards.backbone, sets[0])
    data = names.data_folder(wildcards.dataset, split)
    return {
        "data": data,
        "regions": names.region_folder(wildcards.dataset, split),
        "relevance": names.relevance_file(f"{wildcards.dataset}.{split}"),
        "words": sorted({names.data_folder(known.dataset, known.split) for known in sets} - {data}),
    }


def training_priority(config: Config, wildcards: Any) -> int:
    """Models of the headline's experiment train first, of the others the longest: begun last, it would keep one core busy and one idle."""
    main = config.headline_experiment
    if main and wildcards.training_set in main.training_sets:
        systems = [config.systems[name] for name in main.systems]
        needed = {role for system in systems for own in main.backbones for role in system.roles(own).values()}
        if (wildcards.backbone, wildcards.objective) in needed:
            return 70
    longest = max(objective.steps for objective in config.objectives.values())
    return 10 + 9 * config.objectives[wildcards.objective].steps // longest


def train_command(config: Config) -> str:
    """The program that trains: itself, or as many of it as share a training."""
    if config.processes == 1:
        return "reranksmart"
    return f"torchrun --standalone --nproc-per-node {config.processes} --module reranksmart"
