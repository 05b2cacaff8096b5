"""Indexes made: from a folder of pictures, or from what the workflow has made already."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reranksmart.datasets.prepared.caption_tables import captions_of_broken, read_file_captions
from reranksmart.datasets.prepared.layout import picture_path
from reranksmart.files.links import link_folder
from reranksmart.files.picture_folders import LeftOut, list_pictures, split_broken, write_left_out
from reranksmart.files.picture_names import PictureNames
from reranksmart.files.storage import read_json
from reranksmart.files.stored_embeddings import StoredEmbeddings
from reranksmart.files.writing import atomic_directory
from reranksmart.inputs.images import concatenated, open_store
from reranksmart.inputs.library import is_published, place_library_model
from reranksmart.models.checkpoints import CONFIG_FILE
from reranksmart.ranking.search import build_index
from reranksmart.run.progress import silent
from reranksmart.searching.folder import (
    NO_CAPTIONS,
    IndexSettings,
    Part,
    PictureFile,
    picture_digest,
    require_replaceable,
    source_of,
    take_absence,
    write_index_settings,
    write_part,
)
from reranksmart.searching.models import RoleModels, as_captions
from reranksmart.searching.sight import Seen
from reranksmart.values.factories import require_factory
from reranksmart.values.records import Captions, Embeddings


def build_index_folder(
    images: Path,
    output: Path,
    *,
    retriever: Path | str,
    reranker: Path | str | None = None,
    captions: Path | None = None,
    languages: Sequence[str] = ("en", "de", "fr", "cs"),
    max_tokens: int = 70,
    max_regions: int = 12,
    tag_tokens: int = 0,
    factory: str = "Flat",
    absence: Path | None = None,
) -> tuple[int, list[LeftOut]]:
    """Makes an index of the pictures below a folder; how many there are and what was left out, also in ``skipped.jsonl``.

    A model is the folder of a trained one, or the folder or the hub's name of one that sentence-transformers opens.
    ``reranker`` is the retriever's own model unless given (a joint model plays both). ``captions`` (JSON Lines or CSV,
    as a dataset's) can be found by a picture. ``absence`` is what the same two models learned on a dev split
    of when nothing matches; without it a search makes no such statement. An earlier index in ``output`` is replaced. ValueError where something else
    is there, no picture is whole or a model cannot play its role.
    """
    require_replaceable(output, [images])
    name = images.resolve().name or "pictures"
    require_factory(factory)
    pictures, described, left_out = collected(images, captions, name=name, languages=languages)
    with atomic_directory(output) as target:
        settings = IndexSettings(
            name=name,
            max_tokens=max_tokens,
            max_regions=max_regions,
            tag_tokens=tag_tokens,
            retriever_source=source_of(retriever),
            reranker_source=source_of(reranker or retriever),
        )
        models = _place_models(target, settings, retriever, reranker)
        looked = models.look([(picture.id, picture.path) for picture in pictures])
        vectors = models.embed_pictures(looked)
        texts = models.embed_texts(described) if len(described) else None
        write_part(target, _part(pictures, vectors, looked.reranker, described, texts, factory=factory), number=0)
        write_left_out(target, left_out)
        if absence is not None:
            take_absence(absence, target)
    return len(pictures), left_out


def collected(
    images: Path, captions: Path | None, *, name: str, languages: Sequence[str]
) -> tuple[list[PictureFile], Captions, list[LeftOut]]:
    """The pictures below a folder, each once by content, their captions, and what of both was left out.

    Ids begin with ``name``. Copies leave their captions to the first. ValueError as ``build_index_folder``.
    """
    files, left_out = list_pictures(images)
    described = NO_CAPTIONS
    if captions is not None:
        names = PictureNames(files)
        described, unmatched = read_file_captions(captions, dataset=name, languages=languages, pictures=names)
        left_out += unmatched
    found, broken = split_broken(list(files.values()))
    left_out += [LeftOut.file(fault.path, fault.reason, "broken pictures") for fault in broken]
    pictures: list[PictureFile] = []
    first: dict[str, str] = {}
    same: dict[str, str] = {}  # the same picture twice is one, with the captions of both
    for path in found:
        digest, image_id = picture_digest(path), f"{name}/{path.relative_to(images).as_posix()}"
        same[image_id] = first.setdefault(digest, image_id)
        if same[image_id] == image_id:
            pictures.append(PictureFile(image_id, path, digest))
        else:
            left_out.append(LeftOut.file(path, f"the same picture as {same[image_id]}", "copies of other pictures"))
    left_out += captions_of_broken(described, same)
    described = described.of_images(same)
    described = replace(described, image_ids=tuple(same[image_id] for image_id in described.image_ids))
    return pictures, described, left_out


def gather_index_folder(
    output: Path,
    *,
    name: str,
    data: Sequence[Path],
    seen: Sequence[Path],
    embeddings: Sequence[Path],
    captions: Captions,
    retriever: Path,
    reranker: Path | None = None,
    max_tokens: int = 70,
    reranker_max_tokens: int | None = None,
    max_regions: int = 12,
    tag_tokens: int = 0,
    factory: str = "Flat",
    absence: Path | None = None,
) -> None:
    """Makes an index of splits that were prepared, looked at and encoded: folders of each, in one order."""
    require_replaceable(output, data)
    stores = [open_store(folder) for folder in seen]
    pictures = [
        PictureFile(image_id, path, picture_digest(path))
        for folder, store in zip(data, stores, strict=True)
        for image_id in store.image_ids
        for path in (picture_path(folder, image_id),)
    ]
    vectors = _read_vectors([folder / "images.npz" for folder in embeddings])
    texts = (
        _read_vectors([folder / "captions.npz" for folder in embeddings]).take(captions.ids) if captions.ids else None
    )
    with atomic_directory(output) as target:
        settings = IndexSettings(
            name=name,
            max_tokens=max_tokens,
            max_regions=max_regions,
            tag_tokens=tag_tokens,
            reranker_max_tokens=reranker_max_tokens,
        )
        models = _place_models(target, settings, retriever, reranker)
        with silent():
            width = models.embed_texts(as_captions(["a picture"])).vectors.shape[1]
        if width != vectors.vectors.shape[1]:
            raise ValueError(
                f"the retriever {retriever} makes vectors of {width:,} values, those in {', '.join(map(str, embeddings))} have "
                f"{vectors.vectors.shape[1]:,}. Encode the splits by this model, or name the model that encoded them."
            )
        for store in stores:
            models.reranker.sight.require_fit(store)
        part = _part(pictures, vectors, concatenated(stores), captions, texts, factory=factory)
        write_part(target, part, number=0, seen=seen[0] if len(seen) == 1 else None)
        if absence is not None:
            take_absence(absence, target)


def _part(
    pictures: Sequence[PictureFile],
    vectors: Embeddings,
    seen: Seen,
    captions: Captions,
    texts: Embeddings | None,
    *,
    factory: str,
) -> Part:
    images = build_index(vectors.take([picture.id for picture in pictures]).vectors, factory=factory)
    return Part(tuple(pictures), images, seen, captions, build_index(texts.vectors, factory=factory) if texts else None)


def _read_vectors(paths: Sequence[Path]) -> Embeddings:
    return StoredEmbeddings.open([path for path in paths if path.exists()]).read()


def _place_models(
    target: Path, settings: IndexSettings, retriever: Path | str, reranker: Path | str | None
) -> RoleModels:
    """Puts the models into the index and loads them from there: both are checked before either is loaded."""
    one = reranker is None or Path(reranker).resolve() == Path(retriever).resolve()
    place_model(retriever, target / "retriever", "retriever", also="reranker" if one else None)
    if reranker is not None and not one:
        place_model(reranker, target / "reranker", "reranker")
    settings = settings.model_copy(update={"reranker": "retriever" if one else "reranker"})
    write_index_settings(target, settings)
    return RoleModels.load(target, settings)


_TASKS = {"retriever": "bi_encoder", "reranker": "cross_encoder"}


def place_model(model: Path | str, target: Path, role: str, *, also: str | None = None) -> None:
    """Links a trained model's folder, or one that is published, into an index; ``also`` is its second role."""
    folder = Path(model)
    if (folder / CONFIG_FILE).is_file() or not is_published(model):
        for own in filter(None, (role, also)):
            _require_trained(folder, _TASKS[own], own)
        link_folder(folder, target)
        return
    if also:
        raise ValueError(f"{model} is published for one role; give another model for the {also}.")
    place_library_model(str(model), target, local_files_only=False, settings={"opened_as": role})


def _require_trained(model: Path, task: str, role: str) -> None:
    """FileNotFoundError where there is no model, ValueError where it says of itself that it never learned this task."""
    if not (model / CONFIG_FILE).is_file():
        raise FileNotFoundError(
            f"{model} is no folder of a model ({CONFIG_FILE} is missing). A trained one is needed for the {role}, as the "
            "workflow makes it: results/models/<backbone>/<training set>/<objective>/seed<n>/model. Name such a folder."
        )
    provenance = model / "provenance.json"
    found = read_json(provenance) if provenance.is_file() else {}
    if found.get("verb") == "train" and not json.loads(found.get("arguments", found)["settings"]).get(task):
        raise ValueError(
            f"the model {model} never learned to be a {role}: its objective has no {task}. "
            f"Name another model for the {role}; a joint model plays both."
        )
