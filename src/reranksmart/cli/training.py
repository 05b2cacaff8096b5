"""Verbs that make models: pretrain a small backbone, train an objective."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from reranksmart.cli.backbones import open_backbone
from reranksmart.cli.pictures import copy_processor
from reranksmart.cli.verb import new_folder, running_code, verb
from reranksmart.config.backbones import Backbone, Reading
from reranksmart.config.pretrained import Tuning
from reranksmart.config.training import Objective
from reranksmart.families import load_model, single_stream
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import read_captions, read_relevance, write_jsonl
from reranksmart.inputs.images import open_images
from reranksmart.inputs.stored import TokenisedCaptions, open_tokeniser
from reranksmart.inputs.tokenisers import train_unigram, train_wordpiece
from reranksmart.models.checkpoints import save_model
from reranksmart.models.published import save_published
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.models.tuning import add_adapters, checkpoint_activations, freeze_towers
from reranksmart.training.assembly import assemble
from reranksmart.training.loop import Schedule, TerminatedError, Training, train
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


def _read_data(
    captions: Captions, images: Path, relevance: Path, folder: Path, *, max_tokens: int, tag_tokens: int = 0
) -> TrainingData:
    tokens = TokenisedCaptions.of(captions, open_tokeniser(folder), max_tokens=max_tokens)
    inputs = open_images([images], read_by=folder, tag_tokens=tag_tokens)
    return TrainingData.of(captions, tokens, inputs, read_relevance(relevance))


@verb(computes=True)
def pretrain_verb(
    captions: Annotated[Path, typer.Option()],
    regions: Annotated[Path, typer.Option()],
    relevance: Annotated[Path, typer.Option()],
    settings: Annotated[str, typer.Option(help="a backbone's settings as JSON")],
    output: Annotated[Path, typer.Option()],
    words: Annotated[list[Path] | None, typer.Option(help="splits whose words the tokeniser must know, too")] = None,
    seed: int = 1,
) -> None:
    """Makes a small backbone and saves it in the layout of the published checkpoints.

    What it learns after the alignment continues from its state where an earlier try was cut off.
    """
    backbone = Backbone.model_validate_json(settings)
    texts = read_captions(captions).in_languages(backbone.languages)
    make = train_unigram if backbone.facts.tokeniser == "unigram" else train_wordpiece
    others = [read_captions(folder / "captions.jsonl").in_languages(backbone.languages) for folder in words or ()]
    tokeniser = make(Captions.concatenated([texts, *others]).texts, size=backbone.vocabulary)
    store = RegionStore.open(regions)
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
    if backbone.pretraining.keys_equal_queries:
        start_attention_with_like_to_like(model)
    with new_folder(output) as target:
        tokeniser.save_pretrained(target)
        data = _read_data(texts, regions, relevance, target, max_tokens=backbone.max_tokens)
        history = align_words_and_regions(
            model,
            data,
            steps=backbone.pretraining.steps,
            batch_size=backbone.pretraining.batch_size,
            learning_rate=backbone.pretraining.learning_rate,
            temperature=backbone.pretraining.temperature,
            seed=seed,
        )
        given = identity_of([captions, regions, relevance, *(folder / "captions.jsonl" for folder in words or ())])
        made = f"{settings} {seed} {running_code()} {given}"
        states = [
            StateFile(output.parent / f"{output.name}.state" / f"training{turn}.pt", settings=made)
            for turn in range(len(backbone.pretraining.objectives))
        ]
        for objective, state in zip(backbone.pretraining.objectives, states, strict=True):
            history += _trained(*assemble(model, objective, data, {}, seed=seed), state, what=f"pretrain {output.name}")
        _forget(*states)
        write_jsonl(target / "history.jsonl", history)
        save_published(model, target)


@verb(computes=True)
def train_verb(
    backbone: Annotated[Path, typer.Option(help="folder of the pretrained backbone")],
    captions: Annotated[Path, typer.Option()],
    images: Annotated[Path, typer.Option(help="their regions or pixels")],
    relevance: Annotated[Path, typer.Option()],
    dev_captions: Annotated[Path, typer.Option()],
    dev_images: Annotated[Path, typer.Option()],
    dev_relevance: Annotated[Path, typer.Option()],
    settings: Annotated[str, typer.Option(help="an objective's settings as JSON")],
    backbone_settings: Annotated[str, typer.Option(help="the backbone's settings as JSON")],
    output: Annotated[Path, typer.Option()],
    tuning: Annotated[str, typer.Option(help="how a published model is fine-tuned, as JSON")] = "{}",
    miner: Annotated[Path | None, typer.Option(help="model that mines hard negatives, if it is another")] = None,
    fraction: float = 1.0,
    seed: int = 1,
) -> None:
    """Fine-tunes a backbone for an objective; continues from its state where an earlier try was cut off."""
    objective = Objective.model_validate_json(settings)
    shape = Reading.model_validate_json(backbone_settings)
    processes = Processes.launched()
    model = open_backbone(backbone, shape, seed=seed)
    if objective.cached_layers:
        model = model.with_cached_layers(objective.cached_layers)
    _tune(model, Tuning.model_validate_json(tuning), seed=seed)
    chosen = _share_of_images(read_captions(captions).in_languages(shape.languages), fraction)
    train_data = _read_data(
        chosen, images, relevance, backbone, max_tokens=shape.max_tokens, tag_tokens=shape.tags_read
    )
    dev = read_captions(dev_captions).in_languages(shape.languages)
    dev_data = {
        "bi_encoder": _few(dev, dev_images, dev_relevance, backbone, shape, count=objective.dev_images, each=5),
        "cross_encoder": _few(dev, dev_images, dev_relevance, backbone, shape, count=objective.dev_pair_images, each=1),
    }
    model = processes.place(model)
    training, schedule = assemble(
        *(model, objective, train_data, dev_data),
        seed=seed,
        processes=processes,
        miner=load_model(miner) if miner else None,
    )
    state = StateFile(
        output.parent / "state" / "training.pt",
        settings=" ".join(
            [
                *(objective.model_dump_json(exclude={"checkpoint_every"}), backbone_settings, tuning),
                *(str(fraction), str(seed), running_code(shape.module)),
                identity_of(
                    [
                        *(backbone, captions, images, relevance, dev_captions, dev_images, dev_relevance),
                        *([miner] if miner else []),
                    ]
                ),
            ]
        ),
    )
    history = _trained(training, schedule, state, what=f"train {'/'.join(output.parts[-5:-1])}")
    if not processes.is_first:
        return
    with new_folder(output, shape.module) as target:
        save_model(model, target)
        open_tokeniser(backbone).save_pretrained(target)
        copy_processor(backbone, target)
        write_jsonl(target / "history.jsonl", history)
    _forget(state)


def _trained(training: Training, schedule: Schedule, state: StateFile, *, what: str) -> list[dict[str, Any]]:
    """The history of a training that goes to its end, or ends the process where it is asked to, its state saved."""
    try:
        return train(training, schedule, state, what=what)
    except TerminatedError as ended:
        typer.echo(str(ended), err=True)
        raise SystemExit(143) from None


def _forget(*states: StateFile) -> None:
    for state in states:
        state.remove()
    for folder in {state.path.parent for state in states}:
        if folder.exists():
            os.rmdir(folder)


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


def _few(
    captions: Captions, images: Path, relevance: Path, folder: Path, shape: Reading, *, count: int, each: int
) -> TrainingData:
    """The first images of dev, each with its first captions of every language."""
    inputs = open_images([images], read_by=folder, tag_tokens=shape.tags_read).first(count)
    kept = captions.of_images(inputs.store.image_ids).first_of_each_image(each)
    tokens = TokenisedCaptions.of(kept, open_tokeniser(folder), max_tokens=shape.max_tokens)
    return TrainingData.of(kept, tokens, inputs, read_relevance(relevance))
