"""Object tags from the published files to the states of OSCAR: a second segment of pairs, and part of the image alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from miniature import THINGS, Photograph, split_photographs, write_published, write_tags
from pydantic import TypeAdapter
from torch.nn.functional import normalize
from typer.testing import CliRunner

from reranksmart.cli import load
from reranksmart.cli.verb import app
from reranksmart.config.backbones import Backbone, Reading
from reranksmart.config.datasets import AnyDataset
from reranksmart.families import load_model, single_stream
from reranksmart.files.region_store import RegionStore
from reranksmart.files.storage import read_embeddings
from reranksmart.inputs.stored import RegionInputs
from reranksmart.models.published import save_published
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.values.batches import RegionBatch, box_geometry, pad_tokens

load("convert-backbone", "prepare-split", "import-regions", "encode")

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (*SPECIALS, "and", ".", *THINGS)
CLS, SEP = 2, 3


@dataclass(frozen=True)
class World:
    """Published datasets below ``folder``, and a small OSCAR converted from its published form."""

    folder: Path
    datasets: dict[str, Any]
    model: Path
    settings: Backbone

    def regions(self, name: str, split: str = "test", **changes: Any) -> Path:
        """The folder of the imported regions of a split, beside its data."""
        place = self.folder / "made" / name / split / json.dumps(changes).replace("/", "")[:60]
        if not place.exists():
            dataset = TypeAdapter(AnyDataset).validate_python(self.datasets[name])
            settings = dataset.regions.model_copy(update=changes).model_dump_json()
            whole = json.dumps(self.datasets[name])
            run(app, "prepare-split", "--settings", whole, "--split", split, "--output", place / "data")
            files = ("--data", place / "data", "--split", split, "--output", place / "regions")
            run(app, "import-regions", "--settings", settings, *files)
        return place / "regions"


def run(app: Any, *arguments: object) -> None:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exception is not None:
        raise done.exception


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("tags")
    source = folder / "oscar"
    source.mkdir()
    (source / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    sizes = {"hidden_size": 16, "layers": 2, "heads": 2, "intermediate_size": 24, "max_positions": 60}
    ids = {"vocab_size": len(WORDS), "cls_id": CLS, "sep_id": SEP, "pad_id": 0}
    save_published(single_stream(SingleStreamConfig(embedder="oscar", **sizes, **ids), seed=5), source)
    settings = Backbone(embedder="oscar", checkpoint=str(source), object_tags=True)
    given = settings.model_dump_json(exclude_unset=True)
    run(app, "convert-backbone", "--settings", given, "--output", folder / "model")
    return World(folder, write_published(folder / "published"), folder / "model", settings)


def tag_ids(image: Photograph) -> list[int]:
    return [WORDS.index(THINGS[thing]) for thing in image.shown]


@pytest.mark.parametrize(("name", "of"), [("coco", "coco"), ("flickr30k", "flickr30k")])
def test_published_tags_are_the_second_segment_of_a_pair_and_stand_before_an_image_alone(
    world: World, name: str, of: str
) -> None:
    store = RegionStore.open(world.regions(name))
    image = split_photographs(of)["test"][3]
    row = store.row_by_id[f"{of}/{image.number}"]
    regions = RegionInputs.read_by(world.model, store, tag_tokens=world.settings.tag_tokens).batch([row])
    model = load_model(world.model)
    caption = [CLS, WORDS.index("dog"), WORDS.index("."), SEP]
    tags = [*tag_ids(image), SEP]
    with torch.no_grad():
        pair, _ = model.hidden_states(pad_tokens([caption]), regions)
        alone, _ = model.hidden_states(None, regions)
        torch.testing.assert_close(pair[0][0], _embedded(model, caption, tags, regions, segment=1))
        torch.testing.assert_close(alone[0][0], _embedded(model, [CLS], tags, regions, segment=0))
        vector = model.encode_image(regions)[0]
    torch.testing.assert_close(vector, normalize(alone[-1][0].mean(dim=0), dim=0))  # the tags count in the mean


def _embedded(
    model: SingleStream, first: list[int], tags: list[int], regions: RegionBatch, *, segment: int
) -> torch.Tensor:
    """OSCAR's input by hand: LN(word + position + segment) of both texts, then the regions through one linear layer."""
    table, ids = model.embedder.text, torch.tensor([*first, *tags])
    segments = torch.tensor([0] * len(first) + [segment] * len(tags))
    words = table.word_embeddings(ids) + table.position_embeddings(torch.arange(len(ids)))
    words = table.LayerNorm(words + table.token_type_embeddings(segments))
    geometry = box_geometry(regions.boxes[0], "x1 y1 x2 y2 w h")
    return torch.cat([words, model.embedder.image(torch.cat([regions.features[0], geometry], dim=1))])


def test_an_image_s_embedding_is_made_with_the_tags_of_its_file(world: World, tmp_path: Path) -> None:
    vectors = {}
    for name, tagged in (("tags", True), ("none", False)):
        settings = Reading(embedder="oscar", object_tags=tagged).model_dump_json()
        regions = world.regions("coco")
        captions = ("--captions", regions.parent / "data" / "captions.jsonl", "--images", regions)
        run(
            *(app, "encode", "--model", world.model, *captions),
            *("--backbone-settings", settings, "--output", tmp_path / name),
        )
        vectors[name] = read_embeddings(tmp_path / name / "images.npz")
        captions_alone = read_embeddings(tmp_path / name / "captions.npz").vectors
        np.testing.assert_array_equal(captions_alone, vectors.setdefault("captions", captions_alone))
    gap = np.abs(vectors["tags"].vectors - vectors["none"].vectors).max(axis=1)
    assert (gap > 1e-4).all()


def test_without_a_file_of_tags_the_names_of_the_regions_classes_are_read(world: World, tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("\n".join(THINGS) + "\n")
    store = RegionStore.open(world.regions("multi30k", labels=str(names)))
    image = split_photographs("flickr30k")["test"][0]
    tokens = RegionInputs.read_by(world.model, store, tag_tokens=50).tags
    own = store.row_by_id[f"flickr30k/{image.number}"]
    assert tokens.batch([own]).token_ids[0].tolist() == tag_ids(image)


def test_an_image_without_tags_is_named_and_nothing_is_left(world: World, tmp_path: Path) -> None:
    lacking = write_tags(tmp_path / "test_vg_labels.pt", split_photographs("coco")["test"][1:])
    with pytest.raises(ValueError, match=r"1 images of this split have no tags, as 'coco/392119'"):
        world.regions("coco", tags={"test": str(lacking)})
    assert not list((world.folder / "made").glob("**/regions.*"))
