"""Systems whose cost is measured: their models and what those read, and what each model costs to keep."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from reranksmart.config.backbones import Reading
from reranksmart.config.experiments import Precisions
from reranksmart.cost.latency import TimedRole, TimedSystem
from reranksmart.families import load_model
from reranksmart.files.vision_store import VisionStore
from reranksmart.inputs.images import PixelInputs, open_images, open_store
from reranksmart.inputs.raw import caption_inputs
from reranksmart.models.reduced import chosen_precision, in_precision
from reranksmart.ranking.vision_encoding import make_states
from reranksmart.values.precision import Precision
from reranksmart.values.records import Captions


class Role(BaseModel):
    """One role of a timed system: its model, the images that it reads, the pixels behind them if they are states."""

    model: Path
    images: Path
    pixels: Path | None = None
    reading: Reading


Systems = dict[str, dict[str, Role]]
"""The roles of each system by its name."""


def timed_system(name: str, by_role: dict[str, Role], captions: Captions, precisions: Precisions) -> TimedSystem:
    """The system with its models in the precision of their stages, its captions and its images."""
    loaded = {own.model: load_model(own.model) for own in by_role.values()}  # a joint model once
    models = {role: in_precision(loaded[own.model], _stage(role, precisions)) for role, own in by_role.items()}
    return TimedSystem(name, **{role: _timed(own, models[role], captions) for role, own in by_role.items()})


def computed_in(systems: Systems, precisions: Precisions) -> str:
    """What the timed models really compute in: ``float32``, or one name a role."""
    used = {role: own.model for by_role in systems.values() for role, own in by_role.items()}
    names = {role: chosen_precision(load_model(own), _stage(role, precisions)) for role, own in sorted(used.items())}
    several = len(set(names.values())) > 1
    return " and ".join(f"{name} {role}" for role, name in names.items()) if several else next(iter(names.values()))


def costs_of(systems: Systems) -> list[dict[str, object]]:
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


def _stage(role: str, precisions: Precisions) -> Precision:
    return precisions.encode if role == "retriever" else precisions.rerank


def _timed(role: Role, model: Any, captions: Captions) -> TimedRole:
    texts = captions.in_languages(role.reading.languages[:1])
    tokens = caption_inputs(role.model, texts, max_tokens=role.reading.max_tokens)
    images = open_images([role.images], read_by=role.model, tag_tokens=role.reading.tags_read)
    if role.pixels is None:
        return TimedRole(model, tokens, images)
    pixels = PixelInputs(VisionStore.open(role.pixels))
    return TimedRole(model, tokens, images, prepare=lambda: make_states(model, pixels))
