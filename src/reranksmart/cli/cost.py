"""Verbs that measure cost: latency, evaluation time, parameters and bytes, index types."""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from pydantic import TypeAdapter

from reranksmart.cli.verb import NewFolder, Threads, verb
from reranksmart.config.experiments import Latency, Precisions
from reranksmart.cost.index_costs import index_costs
from reranksmart.cost.latency import TimedRole, TimedSystem, evaluation_times, grown_gallery, query_times
from reranksmart.cost.roles import Role
from reranksmart.families import load_model
from reranksmart.files.provenance import device_name
from reranksmart.files.storage import read_captions, read_embeddings
from reranksmart.files.vision_store import VisionStore
from reranksmart.inputs.images import PixelInputs, open_images, open_store
from reranksmart.inputs.raw import caption_inputs
from reranksmart.models.devices import accelerator
from reranksmart.models.reduced import chosen_precision, in_precision
from reranksmart.ranking.vision_encoding import make_states
from reranksmart.values.precision import Precision
from reranksmart.values.records import Captions


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
    roles = TypeAdapter(dict[str, dict[str, Role]]).validate_json(models)
    systems = [_timed_system(name, by_role, captions, precisions) for name, by_role in roles.items()]
    device = {
        "device": accelerator() or device_name(),
        "dtype": _precision_names(roles, precisions),
        "threads": threads,
    }
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
    pd.DataFrame(_costs(roles)).to_csv(output / "cost.csv", index=False)


def _stage(role: str, precisions: Precisions) -> Precision:
    return precisions.encode if role == "retriever" else precisions.rerank


def _precision_names(systems: dict[str, dict[str, Role]], precisions: Precisions) -> str:
    """What the timed models really compute in: ``float32``, or one name a role."""
    used = {role: own.model for by_role in systems.values() for role, own in by_role.items()}
    names = [chosen_precision(load_model(folder), _stage(role, precisions)) for role, folder in sorted(used.items())]
    return (
        names[0] if len(set(names)) == 1 else " and ".join(f"{n} {r}" for n, r in zip(names, sorted(used), strict=True))
    )


def _timed_system(name: str, by_role: dict[str, Role], captions: Captions, precisions: Precisions) -> TimedSystem:
    loaded = {own.model: load_model(own.model) for own in by_role.values()}  # a joint model once
    return TimedSystem(
        name,
        **{
            role: _timed(own, in_precision(loaded[own.model], _stage(role, precisions)), captions)
            for role, own in by_role.items()
        },
    )


def _timed(role: Role, model: Any, captions: Captions) -> TimedRole:
    texts = captions.in_languages(role.reading.languages[:1])
    tokens = caption_inputs(role.model, texts, max_tokens=role.reading.max_tokens)
    images = open_images([role.images], read_by=role.model, tag_tokens=role.reading.tags_read)
    if role.pixels is None:
        return TimedRole(model, tokens, images)
    pixels = PixelInputs(VisionStore.open(role.pixels))
    return TimedRole(model, tokens, images, prepare=lambda: make_states(model, pixels))


def _costs(systems: dict[str, dict[str, Role]]) -> list[dict[str, object]]:
    """Parameters and bytes of the distinct models that each system holds, and of what it keeps of an image."""
    rows = []
    for name, by_role in systems.items():
        distinct = sorted({role.model for role in by_role.values()})
        parameters = sum(sum(p.numel() for p in load_model(folder).parameters()) for folder in distinct)
        size = sum((folder / "model.safetensors").stat().st_size for folder in distinct)
        stores = [open_store(folder) for folder in sorted({role.images for role in by_role.values()})]
        kept = sum((store.bytes_per_image for store in stores), 0.0)
        rows.append(
            {"system": name, "models": len(distinct), "parameters": parameters, "bytes": size, "bytes_per_image": kept}
        )
    return rows


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
