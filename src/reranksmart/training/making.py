"""A model made of files: a small backbone from its beginning, or a backbone fine-tuned for an objective."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reranksmart.config.backbones import Backbone, Reading
from reranksmart.config.pretrained import Tuning
from reranksmart.config.training import Objective
from reranksmart.families import load_model, single_stream
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import read_captions, read_relevance, write_jsonl
from reranksmart.inputs.images import open_images
from reranksmart.inputs.raw import caption_inputs
from reranksmart.inputs.tokenisers import train_unigram, train_wordpiece
from reranksmart.models.published import save_published
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.models.tuning import add_adapters, checkpoint_activations, freeze_towers
from reranksmart.training.assembly import assemble
from reranksmart.training.backbones import open_backbone
from reranksmart.training.loop import train
from reranksmart.training.pretraining import (
    align_words_and_regions,
    feature_statistics,
    fold_standardisation,
    start_attention_with_like_to_like,
)
from reranksmart.training.processes import Processes
from reranksmart.training.sampling import TrainingData, generator_of
from reranksmart.training.state import StateFile, identity_of
from reranksmart.values.records import Captions


@dataclass(frozen=True)
class Split:
    """Where the captions of a split lie, what is read of its images, and which captions are true of which."""

    captions: Path
    images: Path
    relevance: Path

    @property
    def files(self) -> tuple[Path, Path, Path]:
        return self.captions, self.images, self.relevance

    def read(
        self, captions: Captions, reading: Backbone | Reading, folder: Path, *, first: int | None = None, each: int = 0
    ) -> TrainingData:
        """These captions and the images, as the backbone in ``folder`` reads them.

        ``first``: of the first images alone, each with its first ``each`` captions of every language.
        """
        tags = reading.tags_read if isinstance(reading, Reading) else 0
        inputs = open_images([self.images], read_by=folder, tag_tokens=tags)
        if first is not None:
            inputs = inputs.first(first)
            captions = captions.of_images(inputs.store.image_ids).first_of_each_image(each)
        tokens = caption_inputs(folder, captions, max_tokens=reading.max_tokens)
        return TrainingData.of(captions, tokens, inputs, read_relevance(self.relevance))


def pretrain(
    backbone: Backbone,
    split: Split,
    target: Path,
    *,
    words: Sequence[Path],
    seed: int,
    states: Path,
    made_by: str,
    what: str,
) -> None:
    """Writes a small backbone in the layout of the published checkpoints.

    ``words`` are captions whose words the tokeniser must know, too. What is learned after the alignment continues from
    its state in the folder ``states`` where an earlier try, ``made_by`` the same settings and code, was cut off.
    """
    texts = read_captions(split.captions).in_languages(backbone.languages)
    make = train_unigram if backbone.facts.tokeniser == "unigram" else train_wordpiece
    others = [read_captions(path).in_languages(backbone.languages) for path in words]
    tokeniser = make(Captions.concatenated([texts, *others]).texts, size=backbone.vocabulary)
    store = RegionStore.open(split.images)
    model = single_stream(
        SingleStreamConfig(
            embedder=backbone.embedder,
            vocab_size=len(tokeniser),
            cls_id=int(tokeniser.cls_token_id),
            sep_id=int(tokeniser.sep_token_id),
            pad_id=int(tokeniser.pad_token_id),
            hidden_size=backbone.hidden_size,
            layers=backbone.layers,
            heads=backbone.heads,
            intermediate_size=backbone.intermediate_size,
            max_positions=backbone.max_tokens + 2 + 100,  # as many as a caption and the regions of an image need
            feature_size=store.feature_size,
            hidden_dropout=backbone.dropout,
            attention_dropout=backbone.dropout,
            head_dropout=backbone.dropout,
        ),
        seed=seed,
    )
    fold_standardisation(model.embedder.image, *feature_statistics(store))
    learned = backbone.pretraining
    if learned.keys_equal_queries:
        start_attention_with_like_to_like(model)
    tokeniser.save_pretrained(target)
    data = split.read(texts, backbone, target)
    history = align_words_and_regions(
        model,
        data,
        steps=learned.steps,
        batch_size=learned.batch_size,
        learning_rate=learned.learning_rate,
        temperature=learned.temperature,
        seed=seed,
    )
    settings = f"{backbone.model_dump_json()} {seed} {made_by} {identity_of([*split.files, *words])}"
    kept = [StateFile(states / f"training{turn}.pt", settings) for turn in range(len(learned.objectives))]
    for objective, state in zip(learned.objectives, kept, strict=True):
        history += train(*assemble(model, objective, data, {}, seed=seed), state, what=what)
    for state in kept:
        state.remove()
    write_jsonl(target / "history.jsonl", history)
    save_published(model, target)


def fine_tune(
    objective: Objective,
    reading: Reading,
    tuning: Tuning,
    backbone: Path,
    learned: Split,
    dev: Split,
    *,
    fraction: float,
    miner: Path | None,
    seed: int,
    processes: Processes,
    states: Path,
    made_by: str,
    what: str,
) -> tuple[Any, list[dict[str, Any]], StateFile]:
    """A backbone trained for an objective, its history, and the state that is to go once the model is written.

    It continues from its state in the folder ``states`` where an earlier try, ``made_by`` the same code, was cut off.
    """
    model = open_backbone(backbone, reading, seed=seed)
    if objective.cached_layers:
        model = model.with_cached_layers(objective.cached_layers)
    _tune(model, tuning, seed=seed)
    captions = _share_of_images(read_captions(learned.captions).in_languages(reading.languages), fraction)
    data = learned.read(captions, reading, backbone)
    asked = read_captions(dev.captions).in_languages(reading.languages)
    dev_data = {
        "bi_encoder": dev.read(asked, reading, backbone, first=objective.dev_images, each=5),
        "cross_encoder": dev.read(asked, reading, backbone, first=objective.dev_pair_images, each=1),
    }
    model = processes.place(model)
    training, schedule = assemble(
        *(model, objective, data, dev_data),
        seed=seed,
        processes=processes,
        miner=load_model(miner) if miner else None,
    )
    settings = [objective.model_dump_json(exclude={"checkpoint_every"}), reading.model_dump_json()]
    settings += [tuning.model_dump_json(), str(fraction), str(seed), made_by]
    read = identity_of([backbone, *learned.files, *dev.files, *([miner] if miner else [])])
    state = StateFile(states / "training.pt", " ".join([*settings, read]))
    return model, train(training, schedule, state, what=what), state


def _tune(model: Any, tuning: Tuning, *, seed: int) -> None:
    """Freezes, adds adapters and saves memory as asked, in a published model."""
    if tuning == Tuning():
        return
    freeze_towers(model, tuning.frozen)
    if lora := tuning.lora:
        add_adapters(model, rank=lora.rank, alpha=lora.alpha, dropout=lora.dropout, seed=seed)
    if tuning.gradient_checkpointing:
        checkpoint_activations(model)


def _share_of_images(captions: Captions, fraction: float) -> Captions:
    """The captions of the first ``fraction`` of the images in a fixed random order: smaller shares lie in larger."""
    image_ids = sorted(set(captions.image_ids))
    order = generator_of(0, "fraction").permutation(len(image_ids))
    kept = order[: max(1, round(fraction * len(image_ids)))]
    return captions.of_images(image_ids[row] for row in kept)
