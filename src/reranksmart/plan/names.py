"""Names and texts that the rules share: folders, settings, options."""

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from reranksmart.config.backbones import Backbone
from reranksmart.config.experiments import TestSet
from reranksmart.config.pretrained import PretrainedBackbone
from reranksmart.config.references import nearest
from reranksmart.config.schema import Config
from reranksmart.config.training import TrainingSet
from reranksmart.values.gallery import Gallery
from reranksmart.values.settings import ConfigError

NORMALISED = ".normalised"
"""After a retriever's name in paths: its candidates with hubs pushed back."""

GATE = "audits"
"""The input that must be there before a job begins but decides nothing of what it makes."""


def model_folder(backbone: str, training_set: str, objective: str, seed: int) -> str:
    return f"{backbone}/{training_set}/{objective}/seed{seed}"


def data_folder(dataset: str, split: str) -> str:
    """A prepared split."""
    return f"results/data/{dataset}/{split}"


def region_folder(dataset: str, split: str) -> str:
    return f"results/regions/{dataset}/{split}"


def relevance_file(gallery: str) -> str:
    return f"results/relevance/{gallery}.npz"


def audit_file(training_set: str) -> str:
    return f"results/audits/{training_set}.json"


def made_model(model: str) -> str:
    """The folder of a trained model, by its ``model_folder``."""
    return f"results/models/{model}/model"


def pretraining_split(config: Config, backbone: str, training_set: TrainingSet) -> str:
    """The split of a training set's dataset on which a small backbone is made."""
    chosen = config.backbones[backbone]
    wanted = chosen.pretraining.split if isinstance(chosen, Backbone) and not chosen.checkpoint else None
    return wanted if wanted and wanted in config.datasets[training_set.dataset].splits else training_set.split


def gallery_name(test_set: TestSet) -> str:
    """The name of a test set's queries and gallery."""
    return str(gallery_of(test_set))


def gallery_of(test_set: TestSet) -> Gallery:
    return Gallery.of(test_set.dataset, (test_set.split, *test_set.distractors), test_set.captions_per_image)


def gallery_names(test_set: TestSet) -> list[str]:
    """The names of all galleries of a test set: one, or one a fold."""
    return [gallery_name(test_set.model_copy(update={"split": split})) for split in test_set.splits]


def settings(value: Any) -> str:
    """Settings of one step as compact JSON with sorted keys: what a rule passes as a parameter."""
    return json.dumps(value, default=lambda model: model.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def languages_read(config: Config, backbone: str, dataset: str) -> tuple[str, ...]:
    """The languages in which a backbone is tested on a dataset: its own, in their order, that the dataset has."""
    return tuple(name for name in config.backbones[backbone].languages if name in config.datasets[dataset].languages)


def gallery_reading_settings(config: Config, backbone: str, gallery: str) -> str:
    """``reading_settings`` in the languages of the dataset that asks."""
    return reading_settings(config, backbone, languages_read(config, backbone, Gallery.parse(gallery).dataset))


def pair_settings(config: Config, backbone: str, gallery: str) -> str:
    """``gallery_reading_settings`` with what ranks pairs, where it is not their log-odds."""
    read, chosen = gallery_reading_settings(config, backbone, gallery), config.backbones[backbone]
    if isinstance(chosen, PretrainedBackbone) or chosen.score == "log_odds":
        return read
    return settings({**json.loads(read), "score": chosen.score})


def reading_settings(config: Config, backbone: str, languages: tuple[str, ...] | None = None) -> str:
    """What of a backbone's settings matters for reading captions and images, as JSON of ``config.Reading``.

    In all its languages, or in these.
    """
    chosen = config.backbones[backbone]
    if languages is not None:
        chosen = chosen.model_copy(update={"languages": languages})
    if isinstance(chosen, PretrainedBackbone):
        return settings(
            {
                "family": chosen.family,
                "languages": chosen.languages,
                "max_tokens": chosen.max_tokens or chosen.facts.max_tokens,
            }
        )
    keys = {"embedder", "languages", "max_tokens"}
    return chosen.model_dump_json(include=keys | {"object_tags", "tag_tokens"} if chosen.object_tags else keys)


def require_known_targets(words: Iterable[str], config: Config) -> None:
    """ConfigError where a word of the command line is the file of a table or figure that the configuration lacks."""
    for word in words:
        kind, _, name = word.removeprefix("results/").partition("/")
        name, _, suffix = name.partition(".")
        known = list(getattr(config, kind)) if word.startswith("results/") and kind in ("tables", "figures") else []
        if suffix and known and name not in known:
            raise ConfigError(
                f"{word}: this configuration has no {name!r} among its {kind}, {known}. {nearest(name, known)} Or name the "
                "configuration that has it, such as: --configfile config.yaml workflow/configs/extended.yaml"
            )


def one_of(names: Iterable[str]) -> str:
    """A regular expression of exactly these names, longest first; without names, one that nothing fits."""
    return "|".join(sorted(names, key=lambda name: (-len(name), name))) or "(?!)"


def seed_where(condition: bool) -> str:
    """A regular expression of every seed where the condition holds, of none elsewhere: whether a rule is used."""
    return "[0-9]+" if condition else "(?!)"


def options(flag: str, values: Iterable[str]) -> str:
    """A repeated command option: ``--data a --data b``."""
    return " ".join(f"{flag} {value}" for value in values)


def verb_options(inputs: Mapping[str, Any], values: Mapping[str, str], *flags: str) -> str:
    """The options of a verb, quoted for a shell: its inputs by role, flags, and values by option."""
    return " ".join([given(None, inputs), *flags, *(f"{flag} {shlex.quote(value)}" for flag, value in values.items())])


def given(wildcards: Any, input: Any) -> str:
    """The inputs of a job as options of its verb, each by its role, without its gate: ``--data a --data b --model c``."""
    paths = {role: [found] if isinstance(found, str) else found for role, found in input.items() if role != GATE}
    return " ".join(options(f"--{role.replace('_', '-')}", found) for role, found in paths.items())


def gallery_folders(root: str, gallery: str) -> list[str]:
    """One folder below ``root`` for each split of a gallery."""
    return [f"{root}/{dataset}/{split}" for dataset, split in Gallery.parse(gallery).places]
