"""Pairs of one picture with many captions by a decoder: read picture by picture, against the library's own `rank`.

    python benchmarks/shared_prefix.py --threads 1

A Qwen3-VL with random weights, small but of real proportions: 400 tokens a picture, captions of about 30, 20 of them a
picture, and a vision tower that takes about two thirds of the decoder's work.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"  # before the libraries are imported

import numpy as np
import sentence_transformers as library
import torch
from measuring import ROOT, interleaved, provenance, times_as_fast, write
from PIL import Image
from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

from reranksmart.families import load_model
from reranksmart.files.picture_store import PictureStore
from reranksmart.inputs.library import place_library_model
from reranksmart.inputs.raw import PictureInputs, RawCaptions
from reranksmart.models.pictures_alone import pictures_alone
from reranksmart.ranking.reranking import score_matrix

sys.path.insert(0, str(ROOT.parent / "tests"))
from library_checkpoints import write_library_folder

RANK, OURS = "the library's rank", "picture by picture"
SIDE = 640  # (640 / 32) ** 2 = 400 tokens
PIXELS = (32 * 32, SIDE * SIDE)
WORDS = ["red", "blue", "green", "circle", "square", "star", "of", "the", "picture", "a", "no", "find", "one", "yes"]
COCO = {
    "images": 5_000,
    "captions": 25_010,
    "depth": 20,
    "hours_apart": 87,
}  # on one A6000, as reported for a published 2B


def write_reranker(folder: Path) -> Path:
    """The test suite's small reranker with wider and deeper networks, drawn anew."""
    write_library_folder("reranker", folder)
    config = Qwen3VLConfig.from_pretrained(folder)
    for name, value in {"hidden_size": 256, "intermediate_size": 768, "num_hidden_layers": 6, "head_dim": 64}.items():
        setattr(config.text_config, name, value)
    config.text_config.rope_parameters["mrope_section"] = [16, 8, 8]
    for name, value in {"hidden_size": 192, "intermediate_size": 768, "depth": 2, "num_heads": 4}.items():
        setattr(config.vision_config, name, value)
    config.vision_config.out_hidden_size = 256
    torch.manual_seed(0)
    Qwen3VLForConditionalGeneration(config).save_pretrained(folder)
    return folder


def counted(network: Any) -> dict[str, int]:
    """What its decoder and its vision tower read from now on."""
    read = {"tokens": 0, "pictures": 0}

    def tokens(module: Any, given: Any, named: Any) -> None:
        read["tokens"] += named["inputs_embeds"].shape[:2].numel()

    def pictures(module: Any, given: Any, named: Any) -> None:
        read["pictures"] += len(named["grid_thw"])

    network.language_model.register_forward_pre_hook(tokens, with_kwargs=True)
    network.visual.register_forward_pre_hook(pictures, with_kwargs=True)
    return read


def rank(judge: Any, pictures: list[Path], texts: list[str]) -> np.ndarray:
    """Log-odds (captions, pictures) by one call of the library for each picture."""
    columns = []
    for path in pictures:
        found = judge.rank(
            {"image": Image.open(path)}, [{"text": text} for text in texts], activation_fn=torch.nn.Identity()
        )
        by_text = {hit["corpus_id"]: hit["score"] for hit in found}
        columns.append([by_text[row] for row in range(len(texts))])
    return np.array(columns, dtype=np.float32).T


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=2)
    parser.add_argument("--captions", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    draw = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = write_reranker(Path(scratch) / "judge")
        paths = [Path(scratch) / f"{number}.png" for number in range(options.pictures)]
        for path in paths:
            Image.fromarray(draw.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(path)
        texts = [" ".join(draw.choice(WORDS, size=14)) for _ in range(options.captions)]
        place_library_model(
            str(folder),
            Path(scratch) / "placed",
            local_files_only=True,
            settings={"opened_as": "reranker", "picture_is": "query", "pixels": PIXELS},
        )
        ours = load_model(Path(scratch) / "placed")
        size = {"size": {"shortest_edge": PIXELS[0], "longest_edge": PIXELS[1]}}
        with pictures_alone():
            theirs = library.CrossEncoder(str(folder), device="cpu", local_files_only=True, processor_kwargs=size)
        inputs = PictureInputs(PictureStore(tuple(path.stem for path in paths), tuple(paths)))
        actions = {
            RANK: partial(rank, theirs, paths, texts),
            OURS: partial(score_matrix, ours, RawCaptions(tuple(texts)), inputs),
        }
        first = {name: action() for name, action in actions.items()}  # also compares our first pair with the library's
        read = {name: counted(model[0].model.model) for name, model in ((RANK, theirs), (OURS, ours.library))}
        for action in actions.values():
            action()
        own = read[OURS]["tokens"] / options.pictures
        shared = (read[RANK]["tokens"] / options.pictures / options.captions - own / options.captions) / (
            1 - 1 / options.captions
        )
        read = {name: dict(found) for name, found in read.items()}
        times = interleaved(actions, repeats=options.repeats)
    write(
        "shared_prefix",
        {
            "what": "pairs of one picture with many captions",
            **provenance(threads=options.threads),
            "pictures": options.pictures,
            "captions": options.captions,
            "read": read,
            "shared_tokens": shared,
            "largest_difference": float(np.abs(first[RANK] - first[OURS]).max()),
            "spread": float(first[RANK].std()),
            "seconds": times,
            "times_as_fast": times_as_fast(times, RANK),
            "coco": COCO,
        },
    )


if __name__ == "__main__":
    main()
