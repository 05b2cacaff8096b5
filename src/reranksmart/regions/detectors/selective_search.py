"""Where things are in a picture, whatever they are: selective search, ranked by what surrounds each box."""

import cv2
import numpy as np
from numpy.typing import NDArray

PROPOSAL_SIDE = 208
"""Pictures are searched at this width and height in pixels."""

MOST_REGIONS = 12
_SEGMENT_SCALE, _SEGMENT_BLUR = 300, 0.8  # larger: fewer, larger segments
_STRONGEST_EDGE = 40.0  # grey levels over two pixels; what is stronger counts as this
_RING = 4  # pixels outside a box that should be calm
_LARGEST_OVERLAP = 0.45  # IoU beyond which the less likely of two boxes goes
_LEAST_SCORE = -2.0

# Log-odds that a box is an object (IoU 0.5 or more), by logistic regression on 100 scenes of a seed of its own:
# edges inside speak for it, edges just outside one side and touching the picture's border against it.
_INSIDE, _AREA, _OUTSIDE, _TOUCHED, _CONSTANT = 2.9, 1.8, -1.8, -2.5, 2.3


def propose_boxes(picture: NDArray[np.uint8], *, at_most: int = MOST_REGIONS) -> NDArray[np.float32]:
    """Boxes (R, 4) of likely objects as x1 y1 x2 y2 in [0, 1], likeliest first, at most ``at_most``; R may be 0.

    ``picture`` is (H, W, 3) uint8. Uijlings et al. 2013 (OpenCV's single strategy) makes about 30 candidates.
    """
    resized = cv2.resize(picture, (PROPOSAL_SIDE, PROPOSAL_SIDE), interpolation=cv2.INTER_AREA)
    small = np.asarray(resized, dtype=np.uint8)
    candidates = _search(small)
    if not len(candidates):
        return np.zeros((0, 4), dtype=np.float32)
    scores = object_scores(small, candidates)
    kept = _suppressed(candidates, scores)[:at_most]
    return (candidates[kept] / PROPOSAL_SIDE).astype(np.float32)


def _search(picture: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Boxes (N, 4) in pixels, sorted: OpenCV gives the same boxes in an order drawn by C's rand()."""
    search = cv2.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(picture)
    search.switchToSingleStrategy(_SEGMENT_SCALE, _SEGMENT_BLUR)
    found = np.asarray(search.process(), dtype=np.int64).reshape(-1, 4)
    found[:, 2:] += found[:, :2]
    return np.unique(found, axis=0)


def object_scores(picture: NDArray[np.uint8], boxes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log-odds (N,) that each box in pixels is an object, from sums of edges in and around it."""
    edges = cv2.integral(np.minimum(_edges(picture), _STRONGEST_EDGE)).astype(np.float64)
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = boxes.T
    left, top, right, bottom = (x1 - 1).clip(0), (y1 - 1).clip(0), (x2 + 1).clip(max=width), (y2 + 1).clip(max=height)
    sides = (
        ((x1 - 1 - _RING).clip(0), top, left, bottom),
        (right, top, (x2 + 1 + _RING).clip(max=width), bottom),
        (left, (y1 - 1 - _RING).clip(0), right, top),
        (left, bottom, right, (y2 + 1 + _RING).clip(max=height)),
    )
    busiest_side = np.max([_mean_edge(edges, *side) for side in sides], axis=0)
    area = (x2 - x1) * (y2 - y1) / (height * width)
    touched = (x1 <= 1).astype(float) + (y1 <= 1) + (x2 >= width - 1) + (y2 >= height - 1)
    return (
        _INSIDE * np.log1p(_mean_edge(edges, x1, y1, x2, y2))
        + _AREA * np.log(area)
        + _OUTSIDE * np.log1p(busiest_side)
        + _TOUCHED * touched
        + _CONSTANT
    )


def _edges(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How much any channel changes across each pixel, (H, W) float32."""
    soft = cv2.GaussianBlur(picture, (3, 3), 0).astype(np.float32)
    edges = np.zeros(picture.shape[:2], dtype=np.float32)
    edges[:, 1:-1] = np.abs(soft[:, 2:] - soft[:, :-2]).max(axis=-1)
    edges[1:-1] = np.maximum(edges[1:-1], np.abs(soft[2:] - soft[:-2]).max(axis=-1))
    return edges


def _mean_edge(
    integral: NDArray[np.float64],
    x1: NDArray[np.int64],
    y1: NDArray[np.int64],
    x2: NDArray[np.int64],
    y2: NDArray[np.int64],
) -> NDArray[np.float64]:
    total = integral[y2, x2] - integral[y1, x2] - integral[y2, x1] + integral[y1, x1]
    return np.maximum(total, 0) / np.maximum((x2 - x1) * (y2 - y1), 1)


def _suppressed(boxes: NDArray[np.int64], scores: NDArray[np.float64]) -> list[int]:
    """Rows of likely boxes, best first, none overlapping a better one much."""
    overlaps = intersection_over_union(boxes, boxes)
    kept: list[int] = []
    for row in np.argsort(-scores, kind="stable").tolist():
        if scores[row] >= _LEAST_SCORE and not (overlaps[row, kept] > _LARGEST_OVERLAP).any():
            kept.append(row)
    return kept


def intersection_over_union(boxes: NDArray[np.generic], others: NDArray[np.generic]) -> NDArray[np.float64]:
    """Intersection over union (N, M) of boxes (N, 4) and others (M, 4), both x1 y1 x2 y2 in one unit."""
    a, b = np.asarray(boxes, dtype=np.float64)[:, None], np.asarray(others, dtype=np.float64)[None]
    shared = np.prod(np.clip(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0, None), axis=-1)
    areas = [np.prod(one[..., 2:] - one[..., :2], axis=-1) for one in (a, b)]
    return shared / np.maximum(areas[0] + areas[1] - shared, 1e-12)
