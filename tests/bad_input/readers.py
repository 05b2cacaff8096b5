"""Every reader of the project with a small whole input for it: ``write`` makes the files, ``read`` reads them."""

from __future__ import annotations

import dataclasses
import gzip
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import own_pictures
import torch
import yaml
from data.conftest import NAMES, write_stamp
from data.test_stamp_archive import package_of, tar_of
from PIL import Image
from region_formats.published import CLASSES, FEATURE_SIZE, FORMATS, PICTURES
from running import ROOT

from reranksmart.config.validation import validated
from reranksmart.datasets import coco, conceptual_captions, flickr30k, multi30k, xflickrco
from reranksmart.datasets.composed.cutouts import read_cutout
from reranksmart.datasets.composed.propositions import Mention, Proposition, read_propositions, write_propositions
from reranksmart.datasets.composed.scenes import Scene, SceneObject, read_scenes, write_scenes
from reranksmart.datasets.composed.stamp_archive import fetch_stamps
from reranksmart.datasets.composed.stamps import Stamp, read_stamps, select_stamps, write_stamps
from reranksmart.datasets.fetched import sources
from reranksmart.datasets.files import prepare_file_split
from reranksmart.datasets.published import texts
from reranksmart.evaluation.per_query import per_query_measures, read_per_query, with_images, write_per_query
from reranksmart.families import family, load_model, single_stream
from reranksmart.files.photographs import read_photograph
from reranksmart.files.region_store import Regions, RegionStore
from reranksmart.files.storage import (
    read_captions,
    read_embeddings,
    read_json,
    read_jsonl,
    read_pair_scores,
    read_ranking,
    read_relevance,
    read_twin_scores,
    write_captions,
    write_embeddings,
    write_json,
    write_jsonl,
    write_pair_scores,
    write_ranking,
    write_relevance,
    write_twin_scores,
)
from reranksmart.files.stored_embeddings import StoredEmbeddings
from reranksmart.inputs.stored import RegionInputs, open_tokeniser
from reranksmart.inputs.tokenisers import train_wordpiece
from reranksmart.models.checkpoints import save_model
from reranksmart.models.published import load_published, save_published
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.ranking.search import build_index, read_index
from reranksmart.regions.formats.oscar import read_object_tags
from reranksmart.regions.formats.writer import convert_regions
from reranksmart.report.paper import paper_numbers
from reranksmart.searching import Searcher, build_index_folder
from reranksmart.training.state import StateFile
from reranksmart.values.records import Captions, Direction, Embeddings, Ranking, Relevance


@dataclass(frozen=True)
class Reader:
    """``write`` fills a folder; ``read`` reads it and may write below the second folder it is given."""

    write: Callable[[Path], object]
    read: Callable[[Path, Path], Any]


IDS = tuple(f"d/{number}" for number in range(6))
CAPTIONS = Captions(
    tuple(f"{image}#{number}" for image in IDS for number in range(2)),
    tuple(f"A dog číslo {number} runs\u2028away" for number in range(12)),
    tuple(image for image in IDS for _ in range(2)),
    ("en", "de") * 6,
)
RELEVANCE = Relevance(CAPTIONS.ids, CAPTIONS.image_ids)
_RNG = np.random.default_rng(0)
VECTORS = _RNG.standard_normal((6, 4)).astype(np.float32)
VECTORS /= np.linalg.norm(VECTORS, axis=1, keepdims=True)
EMBEDDINGS = Embeddings(IDS, VECTORS)
RANKING = Ranking(
    CAPTIONS.ids, IDS, np.tile(np.arange(4, dtype=np.int32), (12, 1)), _RNG.random((12, 4)).astype(np.float32)
)
SCENES = (Scene("scenes/test-00000", (SceneObject("things/owl", (0.1, 0.1, 0.3, 0.4), "large"),) * 2),)
PROPOSITIONS = {"scenes/test-00000#en0": Proposition("left of", Mention("an owl", "large"), Mention("a key", None))}


def _store() -> RegionStore:
    regions = [
        Regions(
            _RNG.random((count, 8)).astype(np.float16),
            np.tile(np.float32([0.1, 0.2, 0.5, 0.6]), (count, 1)),
            np.zeros(count, np.int32),
            np.ones(count, np.float32),
        )
        for count in (1, 3, 2)
    ]
    return RegionStore.from_regions(IDS[:3], regions, ("dog",))


def _all_of(folder: Path) -> Any:
    store = RegionStore.open(folder)
    batch = RegionInputs(store).batch(np.arange(len(store)))
    return store.image_ids, store.label_names, batch.features.numpy(), batch.boxes.numpy(), batch.mask.numpy()


def _published(name: str) -> Reader:
    def write(folder: Path) -> None:
        for _ in FORMATS[name](folder, PICTURES[:4]):
            pass

    def read(folder: Path, out: Path) -> Any:
        images = READERS_OF_FORMATS[name](folder)
        convert_regions(
            images, out / "store", image_id=lambda key: f"d/{key}", label_names=CLASSES, feature_size=FEATURE_SIZE
        )
        return _all_of(out / "store")

    return Reader(write, read)


def _formats() -> dict[str, Callable[[Path], Any]]:
    from reranksmart.regions.formats import folders, oscar, tsv, vinvl, volta

    def labelled(folder: Path, features: str, labels: str) -> Any:
        return vinvl.read_vinvl_tsv(folder / features, vinvl.VinvlLabels.read(folder / labels))

    return {
        "bottom-up": lambda folder: tsv.read_bottom_up_tsv(folder / "features.tsv"),
        "lxmert": lambda folder: tsv.read_lxmert_tsv(folder / "obj36.tsv"),
        "vinvl": partial(labelled, features="features.tsv", labels="predictions.tsv"),
        "vinvl-captioning": partial(labelled, features="test.feature.tsv", labels="test.label.tsv"),
        "oscar": lambda folder: oscar.read_oscar_features(folder / "test_img_frcnn_feats.pt"),
        "oscar-2020": lambda folder: oscar.read_oscar_features(folder / "test_img_frcnn_feats.pt"),
        "npz": folders.read_npz_folder,
        "pt": folders.read_pt_folder,
        "npy": folders.read_npy_folder,
        "volta": lambda folder: volta.read_volta_h5(folder / "test_boxes36.h5"),
    }


READERS_OF_FORMATS = _formats()


def _text(name: str, content: str) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode()
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)

    return write


def _texts(files: dict[str, str]) -> Callable[[Path], object]:
    return lambda folder: [_text(name, content)(folder) for name, content in files.items()]


KARPATHY = {
    "images": [
        {
            "filename": f"COCO_val2014_{391895 + place:012}.jpg",
            "split": "test",
            "sentences": [{"raw": f"A dog {number}.", "sentid": 10 * place + number} for number in range(5)],
        }
        for place in range(3)
    ]
}
FLICKR = {"images": [{**image, "filename": f"{36979 + place}.jpg"} for place, image in enumerate(KARPATHY["images"])]}
BLIP = [{"image": f"val2014/COCO_val2014_{391895 + n:012}.jpg", "caption": ["A dog."] * 5} for n in range(3)]
IGLUE = [
    {"img_path": "36979.jpg", "sentences": ["A dog."]},
    {"img_path": "COCO_val2014_000000391895.jpg", "sentences": ["B"]},
]


def _oscar_coco(folder: Path) -> None:
    (folder / "test_img_keys.tsv").write_text("391895\n391896\n")
    torch.save({n: json.dumps(["A dog."] * 5) for n in (391895, 391896)}, folder / "test_captions.pt")


def _multi30k(folder: Path) -> None:
    files = {"task1/image_splits/test_2016_flickr.txt": "36979.jpg\n36980.jpg\n"}
    files |= {f"task1/raw/test_2016_flickr.{code}.gz": "A dog\nA cat\n" for code in ("en", "de")}
    _texts(files)(folder)


def _own_files(folder: Path, *, table: bool) -> None:
    (folder / "pictures" / "below").mkdir(parents=True)
    for name in ("a.png", "below/b.jpg"):
        pixels = np.random.default_rng(len(name)).integers(0, 255, (9, 9, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / name)
    rows = [{"id": "1", "text": "A dog", "image": "a.png"}, {"id": "2", "text": "A cat", "image": "below/b.jpg"}]
    if table:
        (folder / "captions.csv").write_text("id,text,image\n1,A dog,a.png\n2,A cat,below/b.jpg\n")
    else:
        write_jsonl(folder / "captions.jsonl", rows)


def _split_of_files(folder: Path, out: Path, *, captions: str | None) -> Any:
    file = folder / captions if captions else None
    made = prepare_file_split(out / "split", file, folder / "pictures", dataset="mine", languages=("en",))
    for path in (out / "split" / "images").iterdir():
        assert path.resolve().is_relative_to(folder.resolve()), path
    return made.captions, made.image_ids


def _stamps_below(root: Path) -> None:
    for seed, name in enumerate(("goat", "owl", "key", "pig")):
        write_stamp(root, f"things/{name}", NAMES[name], seed=seed)


def _archive(folder: Path, *, name: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        _stamps_below(Path(scratch))
        files = {p.relative_to(scratch).as_posix(): p.read_bytes() for p in Path(scratch).rglob("*") if p.is_file()}
    content = package_of(files) if name.endswith(".deb") else tar_of(files, root="tuxpaint-stamps-1/stamps/")
    (folder / name).write_bytes(content)


def _contents(folder: Path) -> Any:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


SMALL = {"vocab_size": 30, "cls_id": 2, "sep_id": 3, "pad_id": 0, "max_positions": 20, "feature_size": 6}
SMALL |= {"hidden_size": 12, "layers": 1, "heads": 2, "intermediate_size": 8}


@cache
def _model(embedder: str) -> SingleStream:
    return single_stream(SingleStreamConfig(embedder=embedder, **SMALL), seed=1).eval()  # type: ignore[arg-type]


def _weights(model: SingleStream) -> Any:
    return dataclasses.asdict(model.config), {name: tensor.numpy() for name, tensor in model.state_dict().items()}


def _joint(folder: Path) -> None:
    (folder / "0_OSCAR").mkdir()
    save_published(_model("oscar"), folder / "0_OSCAR")
    for name, content in (
        ("1_ClassificationHead/sentence_bert_config.json", {"input_key": "pooled_cls_token_embeddings"}),
        ("2_Pooling/config.json", {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}),
    ):
        (folder / name).parent.mkdir()
        write_json(folder / name, content)
    head = _model("oscar").head[1]  # type: ignore[index]
    torch.save(
        {"classifier.weight": head.weight, "classifier.bias": head.bias},
        folder / "1_ClassificationHead" / "class_head.pt",
    )


STATE = {"step": 3, "history": [], "model": {"w": torch.ones(3)}, "best": {"score": 0.5}}


def _state(folder: Path) -> StateFile:
    return StateFile(folder / "training.pt", settings="s")


def _tokeniser(folder: Path) -> None:
    train_wordpiece(["a dog runs", "two cats sleep"], size=60).save_pretrained(folder)


def _per_query() -> dict[Direction, Any]:
    truth = Relevance(tuple(f"q{n}" for n in range(4)), tuple(f"d/{n}" for n in range(4)))
    found = {}
    for way in Direction:
        queries, gallery = way.pair(truth.caption_ids, truth.image_ids)
        items = np.tile(np.arange(4, dtype=np.int32), (4, 1))
        ranking = Ranking(queries, gallery, items, -items.astype(np.float32))
        captions = Captions(truth.caption_ids, ("a",) * 4, truth.image_ids, ("en",) * 4)
        found[way] = with_images(per_query_measures(ranking, truth, way), captions, way)
    return found


def _numbers(folder: Path) -> None:
    rows = "table1,be,R@1,52.2,Table 1,coco\ntable1,ce,R@1,,,coco\n"
    (folder / "numbers.csv").write_text("table,row,column,value,source,dataset\n" + rows)


SOURCE_ROW = "a,a/b.json,https://example.org/b.json,12,md5:{},page,,MIT,https://example.org,works,2026-01-01\n"


def _sources(folder: Path) -> None:
    header = "asset,file,urls,bytes,checksum,checksum_from,terms,licence,licence_page,state,state_date\n"
    (folder / "sources.csv").write_text(header + SOURCE_ROW.format("0" * 32))


def _configured(folder: Path, out: Path) -> Any:
    try:
        raw = yaml.safe_load((folder / "config.json").read_text())
    except (yaml.YAMLError, OSError, UnicodeDecodeError, RecursionError) as error:
        raise NotRead(str(error)) from error
    if not isinstance(raw, dict):
        raise NotRead("not a mapping")
    return validated(raw).model_dump()


class NotRead(Exception):  # noqa: N818
    """Snakemake itself refuses the file before this project sees it."""


def _config_file(folder: Path) -> None:
    raw = yaml.safe_load((ROOT / "config.yaml").read_text())
    (folder / "config.json").write_text(json.dumps(raw, indent=1))  # which is YAML too


def _index(folder: Path) -> None:
    faiss.write_index(build_index(VECTORS), str(folder / "images.faiss"))


def _searched(folder: Path, out: Path) -> Any:
    index = read_index(folder / "images.faiss")
    return index.ntotal, index.d


@cache
def _made_index() -> Path:
    """An index of four pictures with captions and a model, made once in a process."""
    folder = Path(tempfile.mkdtemp())
    pictures = folder / "pictures"
    colours = ("red", "green", "blue", "gold")
    for colour in colours:
        own_pictures.draw(pictures / f"{colour}.png", colour, "ellipse")
    lines = [json.dumps({"text": f"a {colour} ellipse", "image": f"{colour}.png"}) for colour in colours]
    (folder / "captions.jsonl").write_text("\n".join(lines) + "\n")
    model = own_pictures.save_untrained(folder / "model", seed=1)
    build_index_folder(pictures, folder / "index", retriever=model, captions=folder / "captions.jsonl")
    return folder / "index"


def _asked(folder: Path, out: Path) -> Any:
    searcher = Searcher.load(folder / "index")
    found = searcher.search("a red ellipse", k=2, top=4)
    shown = [searcher.contents.thumbnail(row) for row in range(len(searcher))]
    return [[(hit.id, hit.picture.name, hit.text) for hit in found.reranked], shown, searcher.contents.captions]


READERS: dict[str, Reader] = {
    "index folder": Reader(lambda f: shutil.copytree(_made_index(), f / "index"), _asked),
    "json": Reader(lambda f: write_json(f / "a.json", {"verb": ["é", 1]}), lambda f, o: read_json(f / "a.json")),
    "json lines": Reader(
        lambda f: write_jsonl(f / "a.jsonl", [{"a": 1}, {"b": "é"}]), lambda f, o: read_jsonl(f / "a.jsonl")
    ),
    "captions": Reader(
        lambda f: write_captions(f / "captions.jsonl", CAPTIONS), lambda f, o: read_captions(f / "captions.jsonl")
    ),
    "relevance": Reader(
        lambda f: write_relevance(f / "relevance.npz", RELEVANCE), lambda f, o: read_relevance(f / "relevance.npz")
    ),
    "embeddings": Reader(
        lambda f: write_embeddings(f / "images.npz", EMBEDDINGS), lambda f, o: read_embeddings(f / "images.npz")
    ),
    "gallery's embeddings": Reader(
        lambda f: write_embeddings(f / "images.npz", EMBEDDINGS),
        lambda f, o: StoredEmbeddings.open([f / "images.npz"]).read(),
    ),
    "ranking": Reader(lambda f: write_ranking(f / "en.npz", RANKING), lambda f, o: read_ranking(f / "en.npz")),
    "pair scores": Reader(
        lambda f: write_pair_scores(f / "en.npy", RANKING.scores), lambda f, o: read_pair_scores(f / "en.npy")
    ),
    "twin scores": Reader(
        lambda f: write_twin_scores(
            f / "scores.npz", CAPTIONS.ids, own=RANKING.scores[:, 0], twin=RANKING.scores[:, 1]
        ),
        lambda f, o: read_twin_scores(f / "scores.npz"),
    ),
    "per-query measures": Reader(
        lambda f: write_per_query(f / "en.csv", _per_query()),
        lambda f, o: {way: frame.to_csv() for way, frame in read_per_query(f / "en.csv").items()},
    ),
    "index": Reader(_index, _searched),
    "regions": Reader(lambda f: _store().save(f / "store"), lambda f, o: _all_of(f / "store")),
    **{f"regions of {name}": _published(name) for name in FORMATS},
    "object tags": Reader(
        lambda f: torch.save({1: "dog tree", 2: "cat"}, f / "tags.pt"),
        lambda f, o: read_object_tags(f / "tags.pt", image_id=lambda key: f"coco/{key}"),
    ),
    "coco of Karpathy": Reader(
        _text("dataset.json", json.dumps(KARPATHY)), lambda f, o: coco.read_coco(f / "dataset.json", split="test")
    ),
    "coco numbers": Reader(
        _text("dataset.json", json.dumps(KARPATHY)),
        lambda f, o: coco.read_coco_numbers(f / "dataset.json", split="test"),
    ),
    "coco of BLIP": Reader(_text("test.json", json.dumps(BLIP)), lambda f, o: coco.read_coco(f / "test.json")),
    "coco of OSCAR": Reader(_oscar_coco, lambda f, o: coco.read_oscar_coco(f, split="test")),
    "flickr30k": Reader(
        _text("dataset.json", json.dumps(FLICKR)),
        lambda f, o: flickr30k.read_flickr30k(f / "dataset.json", split="test"),
    ),
    "flickr30k entities": Reader(
        _texts({"test.txt": "36979\n", "Sentences/36979.txt": "[/EN#1/people A man] runs .\n" * 5}),
        lambda f, o: flickr30k.read_flickr30k_entities(f, split="test"),
    ),
    "multi30k": Reader(
        _multi30k, lambda f, o: multi30k.read_multi30k(f, task=1, split="test_2016", languages=("en", "de"))
    ),
    "xflickrco": Reader(
        _text("annotations/de/test.jsonl", "".join(json.dumps(row) + "\n" for row in IGLUE)),
        lambda f, o: xflickrco.read_xflickrco(f, languages=("de",)),
    ),
    "conceptual captions": Reader(
        _text("cc.tsv", 'caption\timage_id\nA dog\t12\n"A ""cat"""\t13\n'),
        lambda f, o: conceptual_captions.read_conceptual_captions(f / "cc.tsv"),
    ),
    "conceptual captions of Google": Reader(
        _text("cc.tsv", "A dog\thttp://e.org/1\nA cat\thttp://e.org/2\n"),
        lambda f, o: conceptual_captions.read_conceptual_captions_rows(f / "cc.tsv"),
    ),
    "gzipped lines": Reader(_text("a.txt.gz", "one\ntwo\n"), lambda f, o: texts.read_lines(f / "a.txt.gz")),
    "sources of downloads": Reader(_sources, lambda f, o: sources.read_sources(f / "sources.csv")),
    "own files, JSON Lines": Reader(
        partial(_own_files, table=False), partial(_split_of_files, captions="captions.jsonl")
    ),
    "own files, CSV": Reader(partial(_own_files, table=True), partial(_split_of_files, captions="captions.csv")),
    "own files, a folder": Reader(partial(_own_files, table=False), partial(_split_of_files, captions=None)),
    "stamps archive": Reader(
        partial(_archive, name="s.tar.gz"), lambda f, o: _contents(fetch_stamps(o / "stamps", source=f / "s.tar.gz"))
    ),
    "stamps package": Reader(
        partial(_archive, name="s.deb"), lambda f, o: _contents(fetch_stamps(o / "stamps", source=f / "s.deb"))
    ),
    "stamps folder": Reader(_stamps_below, lambda f, o: _contents(fetch_stamps(o / "stamps", source=f))),
    "selected stamps": Reader(_stamps_below, lambda f, o: select_stamps(f)),
    "stamps list": Reader(
        lambda f: write_stamps(f / "s.jsonl", [Stamp("a", Path("a.png"), {"en": "A goat"}, 9, 9)]),
        lambda f, o: read_stamps(f / "s.jsonl"),
    ),
    "cutout": Reader(
        lambda f: write_stamp(f, "owl", NAMES["owl"]).with_suffix(".txt").unlink(),
        lambda f, o: read_cutout(f / "owl.png"),
    ),
    "photograph": Reader(
        lambda f: Image.fromarray(np.full((20, 30, 3), 90, np.uint8)).save(f / "a.jpg"),
        lambda f, o: read_photograph(f / "a.jpg"),
    ),
    "scenes": Reader(lambda f: write_scenes(f / "s.jsonl", SCENES), lambda f, o: read_scenes(f / "s.jsonl")),
    "propositions": Reader(
        lambda f: write_propositions(f / "p.jsonl", PROPOSITIONS), lambda f, o: read_propositions(f / "p.jsonl")
    ),
    "model": Reader(lambda f: save_model(_model("oscar"), f), lambda f, o: _weights(load_model(f))),
    **{
        f"published {embedder}": Reader(
            partial(lambda embedder, f: save_published(_model(embedder), f), embedder),
            partial(lambda embedder, f, o: _weights(load_published(family(embedder), f)), embedder),
        )
        for embedder in ("oscar", "uniter", "m3p")
    },
    "published joint": Reader(_joint, lambda f, o: _weights(load_published(family("oscar"), f))),
    "training state": Reader(lambda f: _state(f).save(STATE), lambda f, o: repr(_state(f).load())),
    "tokeniser": Reader(_tokeniser, lambda f, o: open_tokeniser(f)("a dog")["input_ids"]),
    "paper's numbers": Reader(_numbers, lambda f, o: paper_numbers(f / "numbers.csv").to_csv()),
    "configuration": Reader(_config_file, _configured),
}
