"""The cutoffs at which the field measures recall, and what is right among ranked items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

CUTOFFS = (1, 5, 10)
RECALLS = tuple(f"R@{cutoff}" for cutoff in CUTOFFS)
EXTENDED_MEASURES = {"eccv_caption": ("mAP@R", "R-Precision", "R@1"), "cxc": RECALLS}
"""What is reported of each collection of further judgements."""


def hits(relevant: sparse.csr_array, items: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Whether each of the ``items`` (Q, K), columns of ``relevant`` (Q, G), is right for the query of its row."""
    rows = np.repeat(np.arange(len(items)), items.shape[1])
    return np.asarray(relevant[rows, items.ravel()]).astype(bool).reshape(items.shape)


def success(right: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of each query (Q,), at each cutoff (3,): whether any of its first items is right; ``right`` (Q, K), best first."""
    return np.stack([right[:, :cutoff].any(axis=1) for cutoff in CUTOFFS], axis=1)
