"""Every file that ``workflow/configs/paper.yaml`` names, small, at the path where it names it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
from miniature import (
    FEATURE_SIZE,
    THINGS,
    Photograph,
    photographs,
    write_bottom_up,
    write_conceptual_captions,
    write_entities,
    write_karpathy,
    write_multi30k,
    write_npz,
    write_oscar_coco,
    write_pt,
)

from reranksmart.datasets.published.extended_relevance import judged_items
from reranksmart.families import single_stream
from reranksmart.inputs.tokenisers import train_unigram
from reranksmart.models.published import save_published
from reranksmart.models.single_stream import SingleStream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.values.records import Direction

# What makes the configuration small: numbers alone.
SIZES = {"train": 40, "dev": 8, "test": 20}  # images; five folds of test
DISTRACTORS = 12
_STEPS = {"steps": 4, "evaluate_every": 2, "checkpoint_every": 2, "dev_images": 8, "dev_pair_images": 4}
_BI, _CE = {"bi_encoder": {"batch_size": 8}}, {"cross_encoder": {"batch_size": 8}}
SMALL: dict[str, object] = {
    "datasets": {  # what is downloaded, at hand
        "coco": {"annotations": "data/coco/dataset_coco.json"},
        "coco_m3p": {"annotations": "data/coco/dataset_coco.json"},
        "flickr30k": {
            "annotations": "data/flickr30k_entities",
            "sentences": "data/flickr30k_entities/Sentences",
        },
        "multi30k": {"annotations": "data/multi30k"},
    },
    "objectives": {
        "bi_encoder": {**_STEPS, **_BI},
        "cross_encoder": {**_STEPS, **_CE},
        "joint": {**_STEPS, **_BI, **_CE},
        "joint_hard": {**_STEPS, **_BI, **_CE, "hard_negatives": {"refresh_every": 2, "depth": 5}},
    },
    "latency": {
        "gallery_sizes": [20, 60],
        "queries": 2,
        "warmup": 1,
        "pairs_measured": 20,
        "indexes": ["Flat", "HNSW32", "IVF4,Flat", "IVF4,SQ8"],
        "index_vectors": 200,
    },
    "bootstrap": 20,
    "permutations": 50,
}
_FEATURES = "flickr30k_resnet101_faster_rcnn_genome.tsv"


def write_paper_files(folder: Path) -> None:
    """Writes ``data`` and ``checkpoints`` below ``folder``."""
    data, checkpoints = folder / "data", folder / "checkpoints"
    flickr, coco = _splits("flickr30k"), _splits("coco")
    coco["test"] = [_photograph(number) for number in _judged(SIZES["test"])]
    conceptual = photographs("cc", DISTRACTORS)
    captions = judged_items("original", Direction.IMAGE_TO_TEXT)
    write_karpathy(data / "coco" / "dataset_coco.json", coco, numbers=captions)
    write_oscar_coco(data / "coco_ir", coco)
    write_pt(data / "coco_m3p_features", coco["test"])
    write_entities(data / "flickr30k_entities", flickr)
    features = data / "flickr30k_features"
    write_bottom_up(features / f"train_{_FEATURES}.1", flickr["train"][:25])
    write_bottom_up(features / f"train_{_FEATURES}.2", flickr["train"][25:])
    write_bottom_up(features / f"val_{_FEATURES}.3", flickr["dev"])
    write_bottom_up(features / f"test_{_FEATURES}.3", flickr["test"])
    write_multi30k(data / "multi30k", flickr)
    write_pt(data / "multi30k_features", _all(flickr))
    write_conceptual_captions(data / "cc" / "cc_test.tsv", conceptual)
    write_npz(data / "cc" / "features_test", conceptual)
    write_checkpoints(checkpoints, [text for image in _all(flickr) for text in _texts(image)])


def write_checkpoints(folder: Path, texts: Iterable[str]) -> None:
    """OSCAR's folder, UNITER's file, M3P's file, and the folders of the tokenisers of the last two."""
    words = _bert_words()
    oscar = folder / "oscar" / "base-vg-labels" / "ep_67_588997"
    save_published(_random("oscar", len(words)), _made(oscar))
    _write_vocabulary(oscar, words)
    uniter = _made(folder / "uniter")
    save_published(_random("uniter", len(words)), uniter)
    assert (uniter / "uniter-base.pt").is_file()
    _without_token_ids(uniter / "uniter-base.json")
    _without_token_ids(oscar / "config.json")
    _write_vocabulary(_made(folder / "bert-base-cased"), words)
    xlm = train_unigram(sorted(set(texts)), size=120)
    xlm.save_pretrained(_made(folder / "xlm-roberta-base"))
    save_published(_random("m3p", len(xlm)), _made(folder / "m3p"))
    assert (folder / "m3p" / "m3p_under_weights.pth").is_file()


def _random(embedder: str, words: int) -> SingleStream:
    ids = (0, 2, 1) if embedder == "m3p" else (101, 102, 0)
    config = SingleStreamConfig(
        embedder=embedder,
        vocab_size=words,
        hidden_size=32,
        layers=2,
        heads=2,
        intermediate_size=64,
        feature_size=FEATURE_SIZE,
        max_positions=514 if embedder == "m3p" else 512,
        **dict(zip(("cls_id", "sep_id", "pad_id"), ids, strict=True)),
    )
    return single_stream(config, seed=11)


def _bert_words() -> list[str]:
    """BERT's special tokens where BERT has them, then words and letters."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    unused = [f"[unused{number}]" for number in range(1, 100)]
    words = [*THINGS, "and", "A", ".", *letters, *(f"##{letter}" for letter in letters)]
    return ["[PAD]", *unused, "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(words)]


def _write_vocabulary(folder: Path, words: Iterable[str]) -> None:
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")


def _without_token_ids(path: Path) -> None:
    """The published configurations do not say which tokens are special."""
    kept = {key: value for key, value in json.loads(path.read_text()).items() if not key.endswith("_token_id")}
    path.write_text(json.dumps(kept))


def _splits(dataset: str) -> dict[str, list[Photograph]]:
    starts = np.cumsum([0, *SIZES.values()])[:-1]
    return {
        split: photographs(dataset, count, start=int(start))
        for (split, count), start in zip(SIZES.items(), starts, strict=True)
    }


def _judged(count: int) -> list[int]:
    """COCO's numbers of images that ECCV Caption and CxC judge, and of whose captions they judge some."""
    asked = [set(judged_items(name, Direction.IMAGE_TO_TEXT)) for name in ("eccv_caption", "cxc")]
    captions = judged_items("eccv_caption", Direction.TEXT_TO_IMAGE)
    own = judged_items("original", Direction.IMAGE_TO_TEXT)
    found = (number for number in own if all(number in images for images in asked) and {*own[number]} & {*captions})
    return list(islice(found, count))


def _photograph(number: int) -> Photograph:
    shown = np.random.default_rng(number).choice(len(THINGS), size=2 + number % 2, replace=False)
    return Photograph("coco", number, tuple(shown.tolist()))


def _all(splits: dict[str, list[Photograph]]) -> list[Photograph]:
    return [image for images in splits.values() for image in images]


def _texts(image: Photograph) -> list[str]:
    return [text for language in ("en", "de", "fr", "cs") for text in image.texts(language, 5)]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder
