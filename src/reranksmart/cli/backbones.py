"""The verb that brings a published checkpoint into this project's form, and the opening of any backbone's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reranksmart.code import code_digest
from reranksmart.config import Backbone
from reranksmart.data.downloads import read_sources
from reranksmart.inputs import open_tokeniser
from reranksmart.models.checkpoints import load_model, save_model
from reranksmart.models.published import joint_part, load_published, read_published
from reranksmart.models.single_stream import SingleStream
from reranksmart.provenance import write_provenance
from reranksmart.published_tokenisers import published_tokeniser, require_fit
from reranksmart.storage import atomic_directory, read_json, write_json, write_jsonl

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_ORIGIN = "published.json"


@app.command("convert-backbone")
def convert_backbone_verb(
    settings: Annotated[str, typer.Option(help="a backbone's settings as JSON, with a checkpoint")],
    output: Annotated[Path, typer.Option()],
) -> None:
    """Reads published weights strictly and saves them with their tokeniser: safetensors, json, tokenizer."""
    backbone = Backbone.model_validate_json(settings)
    if backbone.checkpoint is None:
        raise ValueError("this backbone has no checkpoint to convert; name one, or make it by rule pretrain")
    path = Path(backbone.checkpoint)
    if not path.exists():
        raise FileNotFoundError(f"the checkpoint {path} is missing. {_where_to_get(backbone.embedder)}")
    published = read_published(backbone.embedder, path, normalise_inputs=backbone.normalise_inputs)
    model = published.build(seed=0)
    own = path / (joint_part(path) or "") if path.is_dir() else path.parent
    tokeniser = published_tokeniser(backbone.embedder, Path(backbone.tokeniser) if backbone.tokeniser else own)
    sizes = model.config
    require_fit(
        tokeniser,
        vocab_size=sizes.vocab_size,
        cls_id=sizes.cls_id,
        sep_id=sizes.sep_id,
        pad_id=sizes.pad_id,
        source=published.source,
    )
    with atomic_directory(output) as target:
        save_model(model, target)
        tokeniser.save_pretrained(target)
        write_json(target / _ORIGIN, {"source": str(published.source), "has_head": published.has_head})
        write_provenance(target, verb="convert-backbone", code=code_digest(__name__), settings=settings)


@app.command("adopt-backbone")
def adopt_backbone_verb(
    backbone: Annotated[Path, typer.Option(help="folder of a converted checkpoint")],
    backbone_settings: Annotated[str, typer.Option(help="the backbone's settings as JSON")],
    output: Annotated[Path, typer.Option()],
    seed: int = 1,
) -> None:
    """Takes a published model as it is, untrained, to be evaluated."""
    embedder = Backbone.model_validate_json(backbone_settings).embedder
    with atomic_directory(output) as target:
        save_model(open_backbone(embedder, backbone, seed=seed), target)
        open_tokeniser(backbone).save_pretrained(target)
        write_jsonl(target / "history.jsonl", [])
        write_provenance(
            target, verb="adopt-backbone", code=code_digest(__name__), settings=backbone_settings, seed=seed
        )


def open_backbone(embedder: str, folder: Path, *, seed: int) -> SingleStream:
    """The model to fine-tune: of a converted checkpoint or a backbone made here; a head that it lacks is drawn."""
    if not (folder / _ORIGIN).is_file():
        return load_published(embedder, folder, seed=seed)
    model = load_model(folder)
    if not read_json(folder / _ORIGIN)["has_head"]:
        model.head.load_state_dict(SingleStream(model.config, seed=seed).head.state_dict())
    return model


def _where_to_get(embedder: str) -> str:
    """One sentence: the published places of this backbone's weights and their licence page."""
    found = [s for s in read_sources().values() if s.asset in (f"{embedder}_pretrained", "paper_models")]
    places = "; ".join(f"{source.urls[0]} ({source.licence_page})" for source in found if source.urls)
    return f"Get it from where its authors publish it and name its path in the configuration: {places}."
