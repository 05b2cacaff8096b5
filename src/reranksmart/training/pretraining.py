"""The small pretrained backbone: words and regions aligned at the input, attention started with like to like."""

import math
from collections.abc import Iterable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertLayer

from reranksmart.files.region_store import RegionStore
from reranksmart.models.single_stream import SingleStream
from reranksmart.run.progress import progress
from reranksmart.training.sampling import TrainingData, epoch_rows, fitting_batch


def word_region_scores(words: Tensor, word_mask: Tensor, regions: Tensor, region_mask: Tensor) -> Tensor:
    """(B, B): how well caption i is found in image j, the mean over its words of the best-matching region's cosine.

    ``words`` (B, T, H) and ``regions`` (B, R, H) need not be unit vectors.
    """
    words = nn.functional.normalize(words, dim=-1)
    regions = nn.functional.normalize(regions, dim=-1)
    similarities = torch.einsum("ith,jrh->ijtr", words, regions)
    similarities = similarities.masked_fill(~region_mask[None, :, None, :], -1.0)
    best = similarities.amax(dim=-1) * word_mask[:, None, :]  # (B, B, T)
    return best.sum(dim=-1) / word_mask.sum(dim=-1).clamp(min=1)[:, None]


def align_words_and_regions(
    model: SingleStream,
    data: TrainingData,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    temperature: float,
    seed: int,
) -> list[dict[str, Any]]:
    """The loss history; the model's input embeddings are trained in place, from captions alone (no box labels).

    In-batch contrast of each caption's words with their best-matching regions, both directions.
    """
    parameters = [p for name, p in model.named_parameters() if "embed" in name]
    optimiser = torch.optim.AdamW(parameters, lr=learning_rate, weight_decay=0.01)
    decay = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: max(0.0, 1 - step / steps))
    history = []
    batch_size = fitting_batch(batch_size, len(data))
    model.train()
    for step in progress(range(steps), what="align words and regions", total=steps):
        torch.manual_seed(seed * 1_000_003 + step)
        rows = epoch_rows(len(data), batch_size, seed=seed, purpose="alignment", step=step)
        image_rows = data.image_rows[rows]
        text, image = data.tokens.batch(rows), data.regions.batch(image_rows)
        word_mask = text.mask.clone()
        word_mask[:, 0] = False  # the first and last token are special
        word_mask[torch.arange(len(rows)), text.mask.sum(dim=1) - 1] = False
        scores = word_region_scores(model.embed_text(text), word_mask, model.embed_regions(image), image.mask)
        true = torch.from_numpy(data.relevance_mask(rows, image_rows))
        others_true = true & ~torch.eye(len(rows), dtype=torch.bool)
        logits = (scores / temperature).masked_fill(others_true, -math.inf)
        target = torch.arange(len(rows))
        loss = (nn.functional.cross_entropy(logits, target) + nn.functional.cross_entropy(logits.T, target)) / 2
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        decay.step()
        if (step + 1) % 10 == 0:
            history.append({"step": step + 1, "task": "alignment", "loss": loss.item()})
    model.eval()
    return history


def start_attention_with_like_to_like(model: SingleStream) -> None:
    """Copies every layer's query projection to its key projection, so that like attends to like from step 0.

    After mimetic initialisation (Trockman and Kolter 2023).
    """
    with torch.no_grad():
        for layer in cast(Iterable[BertLayer], model.encoder.layer):
            attention = layer.attention.self
            attention.key.load_state_dict(attention.query.state_dict())


def feature_statistics(store: RegionStore) -> tuple[np.ndarray, np.ndarray]:
    """Mean (F,) and standard deviation (F,) float32 of the region features."""
    features = np.asarray(store.features, dtype=np.float32)
    return features.mean(axis=0), features.std(axis=0) + 1e-6


def fold_standardisation(linear: nn.Linear, mean: np.ndarray, std: np.ndarray) -> None:
    """Rewrites a layer that expects standardised features in its first F inputs to expect raw ones."""
    size = len(mean)
    with torch.no_grad():
        scaled = linear.weight[:, :size] / torch.from_numpy(std)
        linear.bias.sub_(scaled @ torch.from_numpy(mean))
        linear.weight[:, :size] = scaled
