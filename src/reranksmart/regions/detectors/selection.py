"""Which of a detector's candidates become an image's regions."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.ops import nms

from reranksmart.regions.detectors.visual_genome import Candidates

_OVERLAP_IN_CLASS, _OVERLAP = 0.3, 0.5  # IoU beyond which the likelier of two boxes suppresses the other


@dataclass(frozen=True)
class Selected:
    """Regions, most confident first: ``boxes`` (R, 4) in pixels, ``labels`` (R,), ``confidences`` (R,).

    ``rows`` (R,) are the candidates that they come from.
    """

    boxes: Tensor
    labels: Tensor
    confidences: Tensor
    rows: Tensor


def by_class(candidates: Candidates, *, least: int = 10, most: int = 100, confidence: float = 0.2) -> Selected:
    """Anderson et al. 2018: suppress within each class, then keep what some class is confident of.

    A proposal's confidence is its largest probability among the classes in which no likelier proposal overlaps it by
    more than 0.3 (IoU). Kept are those of ``confidence`` or more, but ``least`` to ``most`` of them. A region's
    box is where its feature was pooled; its label is the class of its confidence.
    """
    best, labels = _surviving(candidates, floor=confidence)
    if int((best >= confidence).sum()) < least:
        best, labels = _surviving(candidates, floor=0.0)
    rows = best.argsort(descending=True, stable=True)
    enough = max(least, min(most, int((best >= confidence).sum())))
    rows = rows[:enough]
    return Selected(candidates.proposals[rows], labels[rows], best[rows], rows)


def _surviving(candidates: Candidates, *, floor: float) -> tuple[Tensor, Tensor]:
    """The largest probability (P,) that survives its class, and that class (P,); what is below ``floor`` counts as 0.

    Less likely proposals suppress no likelier one: leaving them out changes nothing above the floor, and few of 1,600
    classes have any that is not.
    """
    best = candidates.objects.new_zeros(len(candidates.objects))
    labels = candidates.objects.argmax(dim=1) if len(best) else best.long()
    able = (candidates.objects >= floor).any(dim=0).nonzero().flatten().tolist() if len(best) else []
    for label in able:
        rows = (candidates.objects[:, label] >= floor).nonzero().flatten()
        scores = candidates.objects[rows, label]
        kept = nms(candidates.proposals[rows], scores, _OVERLAP_IN_CLASS)
        rows, scores = rows[kept], scores[kept]
        better = scores > best[rows]
        best[rows[better]], labels[rows[better]] = scores[better], label
    return best, labels


def by_best_class(candidates: Candidates, *, most: int = 100) -> Selected:
    """As the published PyTorch port selects: each proposal is its likeliest class, whose boxes suppress each other.

    A region's box is the moved one.
    """
    if not len(candidates.objects):
        none = candidates.proposals.new_zeros(0)
        return Selected(candidates.proposals, none.long(), none, none.long())
    scores, labels = candidates.objects.max(dim=1)
    boxes = candidates.boxes[torch.arange(len(labels), device=labels.device), labels]
    rows = nms(boxes, scores, _OVERLAP)[:most]
    return Selected(boxes[rows], labels[rows], scores[rows], rows)
