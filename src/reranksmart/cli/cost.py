"""Verbs that measure cost: latency, evaluation time, parameters and bytes, index types."""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from pydantic import TypeAdapter

from reranksmart.cli.verb import NewFolder, Threads, verb
from reranksmart.config.costs import Latency
from reranksmart.config.experiments import Precisions
from reranksmart.cost.index_costs import index_costs
from reranksmart.cost.latency import evaluation_times, grown_gallery, query_times
from reranksmart.cost.roles import Systems, computed_in, costs_of, timed_system
from reranksmart.files.provenance import device_name
from reranksmart.files.storage import read_captions, read_embeddings
from reranksmart.models.devices import accelerator


@verb(computes=True)
def measure_latency_verb(
    data: Annotated[Path, typer.Option(help="folder of the split that asks")],
    models: Annotated[
        str, typer.Option(help='{"system": {"retriever": {"model": folder, "images": folder, ...}}} as JSON')
    ],
    settings: Annotated[str, typer.Option(help="the latency settings as JSON")],
    output: NewFolder,
    precision: Annotated[str, typer.Option(help="the precision settings as JSON")] = "{}",
    depth: int = 20,
    seed: int = 1,
    threads: Threads = 1,
) -> None:
    """Times one query at every gallery size and a whole evaluation; counts parameters and bytes."""
    latency, precisions = Latency.model_validate_json(settings), Precisions.model_validate_json(precision)
    captions = read_captions(data / "captions.jsonl")
    roles = TypeAdapter(Systems).validate_json(models)
    systems = [timed_system(name, by_role, captions, precisions) for name, by_role in roles.items()]
    device = {"device": accelerator() or device_name(), "dtype": computed_in(roles, precisions), "threads": threads}
    times = query_times(
        systems,
        gallery_sizes=latency.gallery_sizes,
        depths=latency.depths,
        queries=latency.queries,
        warmup=latency.warmup,
        pairs_measured=latency.pairs_measured,
        seed=seed,
    )
    whole = evaluation_times(systems, depth=depth, pairs_measured=latency.pairs_measured)
    pd.DataFrame(times).assign(**device, batch=1).to_csv(output / "latency.csv", index=False)
    pd.DataFrame(whole).assign(**device).to_csv(output / "evaluation_time.csv", index=False)
    pd.DataFrame(costs_of(roles)).to_csv(output / "cost.csv", index=False)


@verb(computes=True)
def measure_indexes_verb(
    embeddings: Annotated[Path, typer.Option()],
    factories: Annotated[str, typer.Option(help="list of faiss factory strings as JSON")],
    output: NewFolder,
    vectors: Annotated[int, typer.Option(help="size of the gallery; beyond the images, distractor vectors")] = 20_000,
    queries: int = 200,
    seed: int = 1,
    threads: Threads = 1,
) -> None:
    """Compares index types on one gallery: recall against exact, build time, bytes, time of a query."""
    images = read_embeddings(embeddings / "images.npz").vectors
    asked = read_embeddings(embeddings / "captions.npz").vectors[:queries]
    gallery = grown_gallery(images, vectors, np.random.default_rng(seed))
    rows = list(index_costs(gallery, asked, factories=json.loads(factories), repeats=len(asked)))
    pd.DataFrame(rows).assign(device=device_name(), threads=threads, real_images=len(images)).to_csv(
        output / "index_recall.csv", index=False
    )
