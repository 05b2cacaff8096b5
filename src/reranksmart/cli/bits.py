"""Verbs on precision: what fewer bits do to trained models' answers, and how fast a model of the paper's size runs."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from pydantic import TypeAdapter

from reranksmart.cli.options import Resamples
from reranksmart.cli.verb import NewFolder, Threads, verb
from reranksmart.config.costs import PlannedEvaluation
from reranksmart.cost.fewer_bits import bit_costs, fewer_bits_here, read_role
from reranksmart.cost.rates import planned_rates
from reranksmart.cost.roles import Role
from reranksmart.files.provenance import device_name
from reranksmart.files.storage import read_captions, read_relevance
from reranksmart.models.devices import accelerator


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
    captions, truth = read_captions(data / "captions.jsonl"), read_relevance(relevance)
    roles = TypeAdapter(dict[str, Role]).validate_json(models)
    read = {name: read_role(role, captions, truth) for name, role in roles.items()}
    rows = bit_costs(
        read["retriever"],
        read["reranker"],
        precisions=fewer_bits_here(model for model, _ in read.values()),
        depth=depth,
        resamples=resamples,
        rng=np.random.default_rng(seed),
    )
    frame = pd.DataFrame(rows).assign(depth=depth, device=accelerator() or device_name(), threads=threads)
    frame.to_csv(output / "precision.csv", index=False)


@verb(computes=True)
def measure_rates_verb(
    settings: Annotated[str, typer.Option(help="the settings of the planned evaluation as JSON")],
    output: NewFolder,
    seed: int = 1,
    threads: Threads = 1,
) -> None:
    """Times captions, images and pairs of a model of the planned evaluation's size, random weights, by native precision."""
    rows = planned_rates(PlannedEvaluation.model_validate_json(settings), seed=seed)
    pd.DataFrame(rows).assign(device=device_name(), threads=threads).to_csv(output / "rates.csv", index=False)
