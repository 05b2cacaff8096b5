"""Models of sentence-transformers give what the library's own recipe gives, and keep every model's laws."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import sentence_transformers as library
import torch
from library_checkpoints import write_library_folder
from PIL import Image
from pydantic import TypeAdapter

from reranksmart.config.backbones import AnyBackbone
from reranksmart.families import load_model
from reranksmart.families.sentence_transformers import CHECKPOINT
from reranksmart.files.picture_store import PictureStore
from reranksmart.inputs.library import place_library_model
from reranksmart.inputs.raw import PictureInputs, RawCaptions
from reranksmart.models.interface import BiEncoder, CrossEncoder, VectorsEncoder
from reranksmart.models.pictures_alone import pictures_alone
from reranksmart.ranking.encoding import captions_for_pairs, encode_captions, encode_images, images_for_pairs
from reranksmart.ranking.reranking import score_matrix

OPENED = {
    "clip": "retriever",
    "retriever": "retriever",
    "reranker": "reranker",
    "head_reranker": "reranker",
    "late_interaction": "late_interaction",
}
TEXTS = ("a red circle", "one green star", "a", "find the picture of a blue square that is no red circle", "cat.png")
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> PictureInputs:
    """Noise of unequal shapes, saved without loss."""
    folder, draw = tmp_path_factory.mktemp("pictures"), np.random.default_rng(1)
    sizes = [(40, 60), (64, 64), (90, 30), (33, 50)]
    for number, size in enumerate(sizes):
        Image.fromarray(draw.integers(0, 256, (*size, 3), dtype=np.uint8)).save(folder / f"{number}.png")
    paths = tuple(folder / f"{number}.png" for number in range(len(sizes)))
    return PictureInputs(PictureStore(tuple(path.stem for path in paths), paths))


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    return {kind: write_library_folder(kind, folder / kind) for kind in OPENED}


@pytest.fixture(scope="module")
def load(checkpoints, tmp_path_factory):
    def loaded(kind: str, **settings):
        target = tmp_path_factory.mktemp(kind)
        settings = {"opened_as": OPENED[kind], **settings}
        place_library_model(str(checkpoints[kind]), target, local_files_only=True, settings=settings)
        return load_model(target)

    return loaded


def opened(checkpoints, kind: str, **options):
    names = {"retriever": "SentenceTransformer", "reranker": "CrossEncoder", "late_interaction": "MultiVectorEncoder"}
    with pictures_alone():
        return getattr(library, names[OPENED[kind]])(
            str(checkpoints[kind]), device="cpu", local_files_only=True, **options
        )


def test_a_folder_of_one_s_own_may_be_written_over_in_place(checkpoints, tmp_path):
    mine = Path(shutil.copytree(checkpoints["clip"], tmp_path / "mine"))
    place_library_model(str(mine), tmp_path / "made", local_files_only=True, settings={"opened_as": "retriever"})
    weights = tmp_path / "made" / CHECKPOINT / "model.safetensors"
    before = weights.read_bytes()
    (mine / "model.safetensors").write_bytes(b"trained on")
    assert weights.read_bytes() == before


def seen(pictures: PictureInputs) -> list[Image.Image]:
    return [Image.open(path).convert("RGB") for path in pictures.store.paths]


def embeddings(model, pictures) -> tuple[torch.Tensor, torch.Tensor]:
    texts = encode_captions(model, RawCaptions(TEXTS), list(map(str, range(len(TEXTS))))).vectors
    return torch.from_numpy(texts), torch.from_numpy(encode_images(model, pictures).vectors)


def scores(model, pictures) -> torch.Tensor:
    with torch.inference_mode():
        texts, images = captions_for_pairs(model, RawCaptions(TEXTS)), images_for_pairs(model, pictures)
        return torch.from_numpy(score_matrix(model, texts, images))


@pytest.mark.parametrize("kind", ["clip", "retriever"])
def test_embeddings_are_the_library_s(checkpoints, load, pictures, kind):
    own = opened(checkpoints, kind)
    texts, images = embeddings(load(kind), pictures)
    found = texts @ images.T
    told = [{"text": text} for text in TEXTS]
    expected = own.similarity(own.encode_query(told), own.encode_document(seen(pictures)))
    torch.testing.assert_close(found, expected, **CLOSE)
    assert (found.argsort(dim=1) == expected.argsort(dim=1)).all()
    for vectors in (texts, images):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(vectors)), **CLOSE)


def test_shortened_embeddings_and_prompts_are_the_library_s(checkpoints, load, pictures):
    own = opened(checkpoints, "retriever", truncate_dim=8)
    texts, images = embeddings(load("retriever", truncate_dim=8, query_prompt="Which?", document_prompt=""), pictures)
    told = [{"text": text} for text in TEXTS]
    expected = own.similarity(
        own.encode_query(told, prompt="Which?", normalize_embeddings=True),
        own.encode_document(seen(pictures), prompt="", normalize_embeddings=True),
    )
    assert texts.shape == (len(TEXTS), 8)
    torch.testing.assert_close(texts @ images.T, expected, **CLOSE)


@pytest.mark.parametrize("kind", ["reranker", "head_reranker"])
@pytest.mark.parametrize("picture_is", ["document", "query"])
def test_scores_and_order_are_those_of_rank(checkpoints, load, pictures, kind, picture_is):
    own = opened(checkpoints, kind)
    found = scores(load(kind, picture_is=picture_is), pictures)
    queries, items = [{"text": text} for text in TEXTS], [{"image": picture} for picture in seen(pictures)]
    if picture_is == "query":
        queries, items, found = items, queries, found.T
    for row, query in enumerate(queries):
        ranked = own.rank(query, items)
        assert [hit["corpus_id"] for hit in ranked] == found[row].argsort(descending=True).tolist()
        given = own.predict(
            [(query, item) for item in items], activation_fn=torch.nn.Identity(), convert_to_tensor=True
        )
        torch.testing.assert_close(found[row], given, **CLOSE)


@pytest.mark.parametrize(("kind", "once"), [("reranker", True), ("head_reranker", False)])
def test_a_picture_that_pairs_begin_with_is_read_once(load, pictures, kind, once):
    model = load(kind, picture_is="query")
    network = model.library[0].model
    inner = getattr(network, "model", network)
    read = {"pictures": 0, "tokens": 0}
    inner.visual.register_forward_pre_hook(
        lambda module, given, named: read.update(pictures=read["pictures"] + len(named["grid_thw"])), with_kwargs=True
    )
    inner.language_model.register_forward_pre_hook(
        lambda module, given, named: read.update(tokens=read["tokens"] + named["inputs_embeds"].shape[:2].numel()),
        with_kwargs=True,
    )
    first = scores(model, pictures)
    pairs = len(TEXTS) * len(pictures)
    assert read["pictures"] == (len(pictures) + 1 if once else pairs)  # one pair is compared with the library's
    read["tokens"] = 0
    again = scores(model, pictures)
    torch.testing.assert_close(first, again, **CLOSE)
    shared, model._reads_once = read["tokens"], False
    read["tokens"] = 0
    torch.testing.assert_close(scores(model, pictures), again, **CLOSE)
    assert (shared < read["tokens"]) == once


def test_late_interaction_is_the_library_s(checkpoints, load, pictures):
    own = opened(checkpoints, "late_interaction")
    expected = own.similarity(own.encode_query([{"text": text} for text in TEXTS]), own.encode_document(seen(pictures)))
    torch.testing.assert_close(scores(load("late_interaction"), pictures), expected, **CLOSE)


@pytest.mark.parametrize("kind", OPENED)
def test_batches_and_order_change_nothing(load, pictures, kind):
    model = load(kind)
    captions = RawCaptions(TEXTS)
    pairs = [(0, 1), (1, 0), (3, 3), (4, 2)]
    reads = []
    if isinstance(model, BiEncoder):
        reads += [lambda rows: model.encode_text(captions.batch([pairs[row][0] for row in rows]))]
        reads += [lambda rows: model.encode_image(pictures.batch([pairs[row][1] for row in rows]))]
    else:
        reads += [
            lambda rows: model.score_pairs(
                captions.batch([pairs[row][0] for row in rows]), pictures.batch([pairs[row][1] for row in rows])
            )
        ]
    with torch.inference_mode():
        for read in reads:
            together = read([0, 1, 2, 3])
            torch.testing.assert_close(read([2, 0, 3, 1]), together[[2, 0, 3, 1]], **CLOSE)
            for row in range(4):
                torch.testing.assert_close(read([row])[0], together[row], **CLOSE)


@pytest.mark.parametrize("kind", OPENED)
def test_a_model_claims_what_the_configuration_says_of_its_role(load, kind):
    settings = {"family": "sentence_transformers", "checkpoint": "a/b", "library": {"opened_as": OPENED[kind]}}
    able = TypeAdapter(AnyBackbone).validate_python(settings).capabilities
    model = load(kind)
    assert isinstance(model, BiEncoder) == ("bi_encoder" in able)
    assert isinstance(model, CrossEncoder) == ("cross_encoder" in able)
    assert isinstance(model, VectorsEncoder) == (kind == "late_interaction")
