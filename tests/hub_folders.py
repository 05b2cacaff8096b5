"""Small checkpoints with random weights in the hub's layout: config.json, weights, tokeniser, image processor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from own_pictures import COLOURS, SHAPES, draw
from small_networks import PATCH, SIDE, small_model
from transformers import (
    BlipImageProcessorPil,
    BridgeTowerImageProcessorPil,
    CLIPImageProcessorPil,
    Siglip2ImageProcessorPil,
    SiglipImageProcessorPil,
    ViltImageProcessorPil,
)

from reranksmart.inputs.tokenisers import train_wordpiece
from reranksmart.models.checkpoints import save_model

_SQUARE = {"height": SIDE, "width": SIDE}
PROCESSORS = {
    "clip": CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=_SQUARE),
    "siglip": SiglipImageProcessorPil(size=_SQUARE),
    "siglip2_naflex": Siglip2ImageProcessorPil(patch_size=PATCH, max_num_patches=(SIDE // PATCH) ** 2),
    "blip": BlipImageProcessorPil(size=_SQUARE),
    "blip2": BlipImageProcessorPil(size=_SQUARE),
    "vilt": ViltImageProcessorPil(size={"shortest_edge": SIDE}, size_divisor=PATCH),
    "bridgetower": BridgeTowerImageProcessorPil(
        size={"shortest_edge": SIDE}, size_divisor=PATCH, crop_size={"shortest_edge": SIDE}
    ),
}
"""Of the families that read pictures; the others read regions."""
TEXTS = [f"a {colour} {shape}" for colour in COLOURS for shape in SHAPES]


def write_hub_folder(
    name: str, folder: Path, *, seed: int = 0, texts: Sequence[str] = TEXTS, feature_size: int = 2048
) -> Path:
    """A checkpoint of a family as somebody publishes it."""
    tokeniser = train_wordpiece(texts, size=90)
    ids = {"cls_id": tokeniser.cls_token_id, "sep_id": tokeniser.sep_token_id, "pad_id": tokeniser.pad_token_id}
    model = small_model(name, seed=seed, words=len(tokeniser), feature_size=feature_size, **ids)
    folder.mkdir(parents=True)
    model.network.save_pretrained(folder)
    tokeniser.eos_token, tokeniser.bos_token = tokeniser.sep_token, tokeniser.cls_token  # as its network reads them
    tokeniser.save_pretrained(folder)
    if name in PROCESSORS:
        PROCESSORS[name].save_pretrained(folder)
    return folder


def write_model_folder(name: str, folder: Path, *, seed: int = 0) -> Path:
    """A model of a family as a training leaves it, untrained."""
    tokeniser = train_wordpiece(TEXTS, size=90)
    ids = {"cls_id": tokeniser.cls_token_id, "sep_id": tokeniser.sep_token_id, "pad_id": tokeniser.pad_token_id}
    folder.mkdir(parents=True)
    save_model(small_model(name, seed=seed, words=len(tokeniser), **ids), folder)
    tokeniser.save_pretrained(folder)
    PROCESSORS[name].save_pretrained(folder)
    return folder


def draw_captioned(folder: Path) -> dict[str, dict[str, str]]:
    """Drawn pictures with captions as the splits train, dev and test of a dataset of one's own."""
    splits = {}
    pictures = [(colour, shape) for shape in SHAPES for colour in COLOURS]
    for split, chosen in (("train", pictures[::2]), ("dev", pictures[1::4]), ("test", pictures[3::4])):
        lines = []
        for colour, shape in chosen:
            draw(folder / split / f"{colour}_{shape}.png", colour, shape)
            lines += [{"text": f"{start} {colour} {shape}", "image": f"{colour}_{shape}.png"} for start in ("a", "one")]
        captions = folder / f"{split}.jsonl"
        captions.write_text("".join(json.dumps(line) + "\n" for line in lines))
        splits[split] = {"captions": str(captions), "images": str(folder / split)}
    return splits
