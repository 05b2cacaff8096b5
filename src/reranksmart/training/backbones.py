"""The folder of a backbone: a published checkpoint brought into this project's form, and the model to fine-tune."""

from pathlib import Path
from typing import Any

from reranksmart.config.backbones import Backbone, Reading
from reranksmart.config.pretrained import PretrainedBackbone
from reranksmart.datasets.fetched.sources import read_sources
from reranksmart.families import family, load_model
from reranksmart.files.checkpoint_folder import require_checkpoint
from reranksmart.files.links import copy_readers, link_folder
from reranksmart.files.storage import read_json, write_json, write_jsonl
from reranksmart.inputs.library import place_library_model
from reranksmart.inputs.processors import PictureProcessor, copy_processor, published_tokeniser_of
from reranksmart.inputs.published_tokenisers import published_tokeniser, require_belonging, require_fit, require_padding
from reranksmart.inputs.raw import reads_pictures
from reranksmart.inputs.stored import open_tokeniser
from reranksmart.models.checkpoints import save_model
from reranksmart.models.devices import fastest_device
from reranksmart.models.pretrained_weights import load_pretrained
from reranksmart.models.published import joint_part, load_published, read_published

_ORIGIN = "published.json"


def convert_backbone(backbone: Backbone | PretrainedBackbone, target: Path) -> None:
    """Writes published weights, read strictly, with their tokeniser: safetensors, json, tokenizer."""
    if isinstance(backbone, Backbone):
        found = _convert(backbone, target)
    elif backbone.library:
        local, asked = backbone.local_files_only, backbone.library.model_dump()
        found = place_library_model(backbone.checkpoint, target, local_files_only=local, settings=asked)
    elif backbone.sees == "pictures":
        found = family(backbone.family).place(backbone.checkpoint, target, local_files_only=backbone.local_files_only)
    else:
        found = _fetch(backbone, target)
    write_json(target / _ORIGIN, found)


def _convert(backbone: Backbone, target: Path) -> dict[str, Any]:
    """Writes a single-stream model of published weights; where they are from, and whether they have a head."""
    if backbone.checkpoint is None:
        raise ValueError("this backbone has no checkpoint to convert; name one, or make it by rule pretrain")
    path = Path(backbone.checkpoint)
    if not path.exists():
        raise FileNotFoundError(f"the checkpoint {path} is missing. {_where_to_get(backbone.embedder)}")
    published = read_published(family(backbone.embedder), path, normalise_inputs=backbone.normalise_inputs)
    model = published.build(seed=0)
    own = path / (joint_part(path) or "") if path.is_dir() else path.parent
    tokeniser = published_tokeniser(backbone.facts, Path(backbone.tokeniser) if backbone.tokeniser else own)
    sizes = model.config
    require_fit(
        tokeniser,
        vocab_size=sizes.vocab_size,
        cls_id=sizes.cls_id,
        sep_id=sizes.sep_id,
        pad_id=sizes.pad_id,
        source=published.source,
    )
    save_model(model, target)
    tokeniser.save_pretrained(target)
    return {"source": str(published.source), "has_head": published.has_head}


def _fetch(backbone: PretrainedBackbone, target: Path) -> dict[str, Any]:
    """Writes a model of ``transformers`` with its tokeniser and image processor; where it is from and what it lacked."""
    where = {"local_files_only": backbone.local_files_only}
    if Path(backbone.checkpoint).exists():
        require_checkpoint(Path(backbone.checkpoint))
    tokeniser = published_tokeniser_of(
        backbone.tokeniser or backbone.checkpoint, unread_marks=backbone.facts.unread_marks, **where
    )
    loaded = load_pretrained(
        family(backbone.family),
        backbone.checkpoint,
        pad_id=require_padding(tokeniser, source=tokeniser.name_or_path),
        score=backbone.score,
        **where,
    )
    require_belonging(tokeniser, loaded.model, source=backbone.checkpoint)
    save_model(loaded.model, target)
    tokeniser.save_pretrained(target)
    if backbone.facts.reads_pixels:
        PictureProcessor.open(backbone.checkpoint, patch=loaded.model.patch, **where).save(target)
    return {"source": backbone.checkpoint, "has_head": not loaded.drawn, "drawn": loaded.drawn}


def adopt_backbone(backbone: Path, reading: Reading, target: Path, *, seed: int) -> None:
    """Writes a published model as it is, untrained, to be evaluated."""
    if reads_pictures(backbone):
        link_folder(backbone, target)
    else:
        write_model(open_backbone(backbone, reading, seed=seed), target, backbone=backbone)
    write_jsonl(target / "history.jsonl", [])


def write_model(model: Any, target: Path, *, backbone: Path) -> None:
    """Writes a model with what its backbone's folder holds for preparing captions and pictures."""
    save_model(model, target)
    if reads_pictures(backbone):
        copy_readers(backbone, target)
        return
    open_tokeniser(backbone).save_pretrained(target)
    copy_processor(backbone, target)


def open_backbone(folder: Path, reading: Reading, *, seed: int) -> Any:
    """The model to fine-tune: of a converted checkpoint or a backbone made here; a head that it lacks is drawn."""
    if not (folder / _ORIGIN).is_file():
        return load_published(family(str(reading.embedder)), folder, seed=seed).to(fastest_device())
    model, origin = load_model(folder), read_json(folder / _ORIGIN)
    if not origin["has_head"]:
        drawn = type(model)(model.config, seed=seed).state_dict()
        lacking = [name for name in drawn if name.startswith(_heads(origin))]
        model.load_state_dict({**model.state_dict(), **{name: drawn[name] for name in lacking}})
    return model


def _heads(origin: dict[str, Any]) -> tuple[str, ...]:
    """Starts of the names of the tensors that the checkpoint lacked."""
    return tuple(f"network.{name}" for name in origin["drawn"]) if "drawn" in origin else ("head.",)


def _where_to_get(embedder: str) -> str:
    """One sentence: the published places of this backbone's weights and their licence page."""
    found = [s for s in read_sources().values() if s.asset in (f"{embedder}_pretrained", "paper_models")]
    places = "; ".join(f"{source.urls[0]} ({source.licence_page})" for source in found if source.urls)
    return f"Get it from where its authors publish it and name its path in the configuration: {places}."
