"""Small models of transformers' backbones with large weights, and inputs of unequal lengths."""

from __future__ import annotations

from pathlib import Path

import torch
from small_networks import PATCH, SIDE, small_model
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from reranksmart.models.interface import BiEncoder, CrossEncoder
from reranksmart.models.pretrained import Pretrained
from reranksmart.values.batches import RegionBatch, TextBatch, pad_tokens
from reranksmart.values.pixels import PixelBatch, VisionStates, patches_of

IDS = {"words": 60, "cls_id": 58, "sep_id": 59, "pad_id": 0, "positions": 16, "feature_size": 12}
ANY_SHAPE = {"siglip2_naflex", "vilt"}
Images = PixelBatch | RegionBatch


def make(name: str, **settings) -> Pretrained:
    """Weights are large and none is zero, so that a wrong mask, query or position shows in the outputs."""
    model = small_model(name, seed=3, **{**IDS, **settings})
    draw = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(3)
            if not parameter.any():
                parameter.normal_(std=0.1, generator=draw)
    return model


def images_for(model: Pretrained) -> Images:
    """Four images as the model reads them, of unequal sizes where it can."""
    if not model.facts.reads_pixels:
        return regions()
    side = SIDE // PATCH
    return pixels([(4, 3), (2, 5), (4, 4), (1, 2)] if model.config.family in ANY_SHAPE else [(side, side)] * 4)


def regions() -> RegionBatch:
    draw = torch.Generator().manual_seed(2)
    mask = torch.arange(5) < torch.tensor([3, 5, 1, 4])[:, None]
    corners = torch.rand(4, 5, 4, generator=draw) / 2
    boxes = torch.cat([corners[..., :2], corners[..., :2] + corners[..., 2:]], dim=-1)
    features = torch.randn(4, 5, IDS["feature_size"], generator=draw)
    return RegionBatch(features * mask[..., None], boxes * mask[..., None], mask)


def pixels(grids: list[tuple[int, int]], seed: int = 2) -> PixelBatch:
    draw = torch.Generator().manual_seed(seed)
    cut = [patches_of(torch.randn(3, h * PATCH, w * PATCH, generator=draw), PATCH) for h, w in grids]
    longest = max(map(len, cut))
    patches = torch.stack([torch.nn.functional.pad(one, (0, 0, 0, longest - len(one))) for one in cut])
    mask = torch.arange(longest) < torch.tensor([len(one) for one in cut])[:, None]
    return PixelBatch(patches, mask, torch.tensor(grids))


def outputs(model: Pretrained, texts: TextBatch, images: Images | VisionStates) -> list[Tensor]:
    """What the model gives of texts and images: the embeddings of both and the scores of the pairs, if it has them."""
    found = [model.encode_text(texts), model.encode_image(images)] if isinstance(model, BiEncoder) else []
    return found + ([model.score_pairs(texts, images)] if isinstance(model, CrossEncoder) else [])


def words() -> TextBatch:
    draw = torch.Generator().manual_seed(1)
    rows = [torch.randint(5, 57, (length,), generator=draw).tolist() for length in (3, 9, 1, 6)]
    return pad_tokens([[58, *row, 59] for row in rows])


def wordpieces(folder: Path) -> Path:
    """A small tokeniser in ``folder`` as transformers writes it, of [PAD], [UNK], [CLS], [SEP], "a" and "dog"."""
    words = {word: number for number, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "dog"])}
    tokeniser = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    tokeniser.pre_tokenizer = pre_tokenizers.Whitespace()
    tokeniser.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=tokeniser, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]", unk_token="[UNK]"
    ).save_pretrained(folder)
    return folder


def hub_folder(name: str, folder: Path) -> Path:
    """The model of ``make`` in ``folder`` as transformers writes it: config.json and model.safetensors."""
    make(name).network.save_pretrained(folder)
    return folder
