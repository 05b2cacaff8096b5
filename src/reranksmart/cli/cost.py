"""Verbs that measure cost: latency, evaluation time, parameters and bytes, index types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import faiss
import numpy as np
import pandas as pd
import torch
import typer

from reranksmart.code import code_digest
from reranksmart.config import Backbone, Latency, Precisions
from reranksmart.inputs import RegionInputs, TokenisedCaptions, open_tokeniser
from reranksmart.latency import TimedSystem, evaluation_times, grown_gallery, index_costs, query_times
from reranksmart.models.checkpoints import load_model
from reranksmart.models.reduced import chosen_precision, in_precision
from reranksmart.precision import Precision
from reranksmart.provenance import device_name, write_provenance
from reranksmart.records import Captions
from reranksmart.regions import RegionStore
from reranksmart.storage import atomic_directory, read_captions, read_embeddings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("measure-latency")
def measure_latency_verb(
    data: Annotated[Path, typer.Option(help="folder of the split that asks")],
    regions: Annotated[Path, typer.Option()],
    models: Annotated[str, typer.Option(help='{"system": {"retriever": folder, "reranker": folder}} as JSON')],
    settings: Annotated[str, typer.Option(help="the latency settings as JSON")],
    backbone_settings: Annotated[str, typer.Option()],
    output: Annotated[Path, typer.Option()],
    precision: Annotated[str, typer.Option(help="the precision settings as JSON")] = "{}",
    depth: int = 20,
    seed: int = 1,
    threads: int = 1,
) -> None:
    """Times one query at every gallery size and a whole evaluation; counts parameters and bytes."""
    torch.set_num_threads(threads)
    faiss.omp_set_num_threads(threads)
    latency, backbone = Latency.model_validate_json(settings), Backbone.model_validate_json(backbone_settings)
    captions = read_captions(data / "captions.jsonl").in_languages(backbone.languages[:1])
    first = next(Path(path) for roles in json.loads(models).values() for path in roles.values())
    inputs = RegionInputs.read_by(first, RegionStore.open(regions), tag_tokens=backbone.tags_read)
    folders = {name: {role: Path(path) for role, path in roles.items()} for name, roles in json.loads(models).items()}
    precisions = Precisions.model_validate_json(precision)
    systems = [_timed(name, roles, captions, backbone, precisions) for name, roles in folders.items()]
    device = {"device": device_name(), "dtype": _precision_names(folders, precisions), "threads": threads}
    times = query_times(
        systems,
        inputs,
        gallery_sizes=latency.gallery_sizes,
        depths=latency.depths,
        queries=latency.queries,
        warmup=latency.warmup,
        pairs_measured=latency.pairs_measured,
        seed=seed,
    )
    whole = evaluation_times(systems, inputs, depth=depth, pairs_measured=latency.pairs_measured)
    with atomic_directory(output) as target:
        pd.DataFrame(times).assign(**device, batch=1).to_csv(target / "latency.csv", index=False)
        pd.DataFrame(whole).assign(**device).to_csv(target / "evaluation_time.csv", index=False)
        pd.DataFrame(_costs(folders)).to_csv(target / "cost.csv", index=False)
        write_provenance(
            target, verb="measure-latency", code=code_digest(__name__), settings=settings, seed=seed, threads=threads
        )


def _stage(role: str, precisions: Precisions) -> Precision:
    return precisions.encode if role == "retriever" else precisions.rerank


def _precision_names(folders: dict[str, dict[str, Path]], precisions: Precisions) -> str:
    """What the timed models really compute in: ``float32``, or one name a role."""
    used = {role: folder for roles in folders.values() for role, folder in roles.items()}
    names = [chosen_precision(load_model(folder), _stage(role, precisions)) for role, folder in sorted(used.items())]
    return (
        names[0] if len(set(names)) == 1 else " and ".join(f"{n} {r}" for n, r in zip(names, sorted(used), strict=True))
    )


def _timed(
    name: str, roles: dict[str, Path], captions: Captions, backbone: Backbone, precisions: Precisions
) -> TimedSystem:
    loaded = {role: in_precision(load_model(folder), _stage(role, precisions)) for role, folder in roles.items()}
    tokens = {
        role: TokenisedCaptions.of(captions, open_tokeniser(folder), max_tokens=backbone.max_tokens)
        for role, folder in roles.items()
    }
    return TimedSystem(
        name, loaded.get("retriever"), loaded.get("reranker"), tokens.get("retriever"), tokens.get("reranker")
    )


def _costs(folders: dict[str, dict[str, Path]]) -> list[dict[str, object]]:
    """Parameters and bytes of the distinct models that each system holds."""
    rows = []
    for name, roles in folders.items():
        distinct = sorted(set(roles.values()))
        parameters = sum(sum(p.numel() for p in load_model(folder).parameters()) for folder in distinct)
        size = sum((folder / "model.safetensors").stat().st_size for folder in distinct)
        rows.append({"system": name, "models": len(distinct), "parameters": parameters, "bytes": size})
    return rows


@app.command("measure-indexes")
def measure_indexes_verb(
    embeddings: Annotated[Path, typer.Option()],
    factories: Annotated[str, typer.Option(help="list of faiss factory strings as JSON")],
    output: Annotated[Path, typer.Option()],
    vectors: Annotated[int, typer.Option(help="size of the gallery; beyond the images, distractor vectors")] = 20_000,
    queries: int = 200,
    seed: int = 1,
    threads: int = 1,
) -> None:
    """Compares index types on one gallery: recall against exact, build time, bytes, time of a query."""
    faiss.omp_set_num_threads(threads)
    images = read_embeddings(embeddings / "images.npz").vectors
    asked = read_embeddings(embeddings / "captions.npz").vectors[:queries]
    gallery = grown_gallery(images, vectors, np.random.default_rng(seed))
    rows = list(index_costs(gallery, asked, factories=json.loads(factories), repeats=len(asked)))
    with atomic_directory(output) as target:
        pd.DataFrame(rows).assign(device=device_name(), threads=threads, real_images=len(images)).to_csv(
            target / "index_recall.csv", index=False
        )
        write_provenance(
            target, verb="measure-indexes", code=code_digest(__name__), settings=factories, seed=seed, threads=threads
        )
