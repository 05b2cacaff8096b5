"""Verbs on precision: what fewer bits do to trained models' answers, and how fast a model of the paper's size runs."""

from pathlib import Path
from typing import Annotated, get_args

import numpy as np
import pandas as pd
import torch
import typer
from pydantic import TypeAdapter

from reranksmart.cli.options import Resamples
from reranksmart.cli.verb import NewFolder, Threads, verb
from reranksmart.config.costs import PlannedEvaluation
from reranksmart.cost.fewer_bits import EXACT, bit_costs
from reranksmart.cost.rates import measured_rates
from reranksmart.cost.roles import Role
from reranksmart.families import load_model
from reranksmart.files.provenance import device_name
from reranksmart.files.storage import read_captions, read_relevance
from reranksmart.inputs.images import open_images
from reranksmart.inputs.stored import TokenisedCaptions, open_tokeniser
from reranksmart.models.devices import accelerator
from reranksmart.models.reduced import can_compute, is_native
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.training.sampling import TrainingData
from reranksmart.values.precision import Precision
from reranksmart.values.records import Captions

PRECISIONS: tuple[Precision, ...] = tuple(name for name in get_args(Precision) if name != "auto")


@verb(computes=True)
def measure_precision_verb(
    data: Annotated[Path, typer.Option(help="folder of the split that asks")],
    relevance: Annotated[Path, typer.Option()],
    models: Annotated[str, typer.Option(help='{"retriever": {"model": folder, "images": folder, ...}, ...} as JSON')],
    output: NewFolder,
    depth: Annotated[int, typer.Option(help="items whose overlap counts; twice as many are re-ranked")] = 20,
    resamples: Resamples = 1000,
    seed: int = 1,
    threads: Threads = 1,
) -> None:
    """Compares each precision that is native here with float32: rank overlap and R@1, one caption an image asking."""
    captions = read_captions(data / "captions.jsonl")
    roles = TypeAdapter(dict[str, Role]).validate_json(models)
    read = {name: _read(role, captions, relevance) for name, role in roles.items()}
    nets = [net for net, _ in read.values()]
    others = [n for n in PRECISIONS if n != EXACT and all(can_compute(m, n) and is_native(n, m.device) for m in nets)]
    rng = np.random.default_rng(seed)
    rows = bit_costs(read["retriever"], read["reranker"], precisions=others, depth=depth, resamples=resamples, rng=rng)
    frame = pd.DataFrame(rows).assign(depth=depth, device=accelerator() or device_name(), threads=threads)
    frame.to_csv(output / "precision.csv", index=False)


def _read(role: Role, captions: Captions, relevance: Path) -> tuple[SingleStream, TrainingData]:
    """A role's model with one caption an image, and the images, as it reads them."""
    asking = captions.in_languages(role.reading.languages[:1]).first_of_each_image(1)
    tokens = TokenisedCaptions.of(asking, open_tokeniser(role.model), max_tokens=role.reading.max_tokens)
    images = open_images([role.images], read_by=role.model, tag_tokens=role.reading.tags_read)
    return load_model(role.model), TrainingData.of(asking, tokens, images, read_relevance(relevance))


@verb(computes=True)
def measure_rates_verb(
    settings: Annotated[str, typer.Option(help="the settings of the planned evaluation as JSON")],
    output: NewFolder,
    seed: int = 1,
    threads: Threads = 1,
) -> None:
    """Times captions, images and pairs of a model of the planned evaluation's size, random weights, by native precision."""
    planned = PlannedEvaluation.model_validate_json(settings)
    network = planned.network.model_dump()
    model = SingleStreamConfig(embedder="oscar", cls_id=101, sep_id=102, pad_id=0, **network)
    rows = measured_rates(
        model,
        precisions=[name for name in PRECISIONS if is_native(name, torch.device("cpu"))],
        tokens=planned.tokens,
        regions=planned.regions,
        counts=planned.timed.model_dump(),
        repeats=planned.repeats,
        seed=seed,
    )
    pd.DataFrame(rows).assign(device=device_name(), threads=threads).to_csv(output / "rates.csv", index=False)
