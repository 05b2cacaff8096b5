"""Which candidates become regions, against the rule of Anderson et al. 2018 written out box by box."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from reranksmart.regions.detectors.selection import by_best_class, by_class
from reranksmart.regions.detectors.visual_genome import Candidates


def drawn(proposals: int, *, classes: int = 6, sharpness: float = 2.0, seed: int = 0) -> Candidates:
    rng = torch.Generator().manual_seed(seed)
    corners = torch.rand(proposals, 2, generator=rng) * 60
    boxes = torch.cat([corners, corners + 20 + 30 * torch.rand(proposals, 2, generator=rng)], dim=1)
    logits = sharpness * torch.randn(proposals, classes + 1, generator=rng)
    return Candidates(
        proposals=boxes,
        boxes=boxes[:, None].expand(-1, classes, -1),
        objects=logits.softmax(dim=1)[:, :-1],
        attributes=torch.zeros(proposals, 2),
        features=torch.arange(proposals).float()[:, None],
    )


def one_by_one(candidates: Candidates, *, least: int, most: int, confidence: float) -> list[int]:
    overlaps = box_iou(candidates.proposals, candidates.proposals).numpy()
    best = np.zeros(len(overlaps))
    for scores in candidates.objects.T.numpy():
        kept: list[int] = []
        for row in np.argsort(-scores):
            if all(overlaps[row, other] <= 0.3 for other in kept):
                kept.append(row)
                best[row] = max(best[row], scores[row])
    count = max(least, min(most, int((best >= confidence).sum())))
    return np.argsort(-best, kind="stable")[:count].tolist()


@pytest.mark.parametrize(
    ("least", "most", "sharpness", "count"),
    [(10, 100, 2.0, None), (10, 20, 4.0, 20), (10, 100, 0.1, 10)],
    ids=["as many as are confident", "no more than the most", "the least, though none is confident"],
)
def test_regions_are_what_some_class_is_confident_of(
    least: int, most: int, sharpness: float, count: int | None
) -> None:
    candidates = drawn(80, sharpness=sharpness)
    found = by_class(candidates, least=least, most=most, confidence=0.2)
    assert found.rows.tolist() == one_by_one(candidates, least=least, most=most, confidence=0.2)
    assert count is None or len(found.rows) == count
    assert least <= len(found.rows) <= most
    assert (found.confidences.diff() <= 0).all()
    picked = candidates.objects[found.rows, found.labels]
    torch.testing.assert_close(found.confidences, picked)


def test_overlapping_boxes_of_two_classes_both_stay_class_wise_and_one_by_best_class() -> None:
    candidates = drawn(2, classes=2)
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9]])
    objects = torch.tensor([[0.9, 0.05], [0.05, 0.8]])
    candidates = Candidates(
        boxes, boxes[:, None].expand(-1, 2, -1), objects, candidates.attributes, candidates.features
    )
    assert by_class(candidates, least=1).rows.tolist() == [0, 1]
    assert by_best_class(candidates, least=1).rows.tolist() == [0]


def test_too_few_regions_are_given_and_not_refused() -> None:
    """The published port fails where no threshold leaves its least number of boxes."""
    found = by_best_class(drawn(3), least=10, overlaps=(0.1, 0.5))
    assert 1 <= len(found.rows) <= 3
