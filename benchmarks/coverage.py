"""How often the 95 % intervals of recalls hold the truth, by simulation: exits with 1 where one does in under 93 %.

    python benchmarks/coverage.py --trials 1000 --shared 0.3

A trial draws images, each with its own chance of a miss (beta-distributed, so that its five captions and itself as a
query share it), and misses of R@1, R@5 and R@10, each within the one before. Beside the coverage stand the interval's
mean width in points, and both of the percentile bootstrap over images. A third of the misses' variance between images
(``--shared``) is what captions of one picture show.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from measuring import provenance, write
from numpy.typing import NDArray

from reranksmart.evaluation.resampling import (
    Sums,
    bounded_interval,
    bounded_weights,
    image_weights,
    percentile_interval,
)

SIZES, TRUTHS, LEAST = (24, 320, 1000), (75.0, 90.0, 98.0, 99.5), 93.0
CAPTIONS, RECALLS, RESAMPLES, TRIALS_A_DRAW = 5, 3, 1000, 25
STAYS_MISSED = 0.5  # a miss at R@1 is one at R@5, and that one at R@10, with this chance
SCALE = {"mR": 1.0, "rsum": 600.0 / 100}


def sums_of_trial(images: int, miss: float, shared: float, rng: np.random.Generator) -> dict[str, list[Sums]]:
    """Hits summed over each image: of R@1 in each direction, and of all six recalls."""
    spread = (1 - shared) / shared
    chance = rng.beta(miss * spread, (1 - miss) * spread, images)
    found = {}
    for direction, queries in (("text-to-image", CAPTIONS), ("image-to-text", 1)):
        draws = rng.random((images, queries))
        counts = np.full(images, float(queries))
        found[direction] = [
            ((draws >= chance[:, None] * STAYS_MISSED**level).sum(axis=1).astype(float), counts)
            for level in range(RECALLS)
        ]
    return {
        **{name: parts[:1] for name, parts in found.items()},
        "mR": [part for parts in found.values() for part in parts],
    }


def percentile(parts: list[Sums], weights: NDArray[np.float64]) -> tuple[float, float]:
    return percentile_interval(np.mean([weights @ sums / (weights @ counts) for sums, counts in parts], axis=0))


def coverage(
    images: int, truth: float, *, shared: float, trials: int, rng: np.random.Generator
) -> list[dict[str, object]]:
    levels = np.mean(STAYS_MISSED ** np.arange(RECALLS))  # of the misses of R@1, the mean over the recalls
    results: dict[tuple[str, str], list[tuple[bool, float]]] = {}
    for trial in range(trials):
        if trial % TRIALS_A_DRAW == 0:
            bounded = bounded_weights(images, resamples=RESAMPLES, rng=rng)
            drawn = image_weights(images, resamples=RESAMPLES, rng=rng)
        for names, miss in (
            (("text-to-image", "image-to-text"), 1 - truth / 100),
            (("mR",), (1 - truth / 100) / levels),
        ):
            sums = sums_of_trial(images, miss, shared, rng)
            for name in names:
                intervals = {
                    "bounded": bounded_interval(sums[name], bounded),
                    "percentile": percentile(sums[name], drawn),
                }
                for method, (low, high) in intervals.items():
                    held = 100 * low <= truth + 1e-9 and truth - 1e-9 <= 100 * high
                    results.setdefault((name, method), []).append((held, 100 * (high - low)))
    rows = []
    for (name, method), seen in results.items():
        held, width = np.mean(seen, axis=0)
        for measure, scale in SCALE.items() if name == "mR" else ((f"R@1 {name}", 1.0),):
            rows.append(
                {
                    "images": images,
                    "truth": truth,
                    "measure": measure,
                    "method": method,
                    "coverage": 100 * held,
                    "width": scale * width,
                }
            )
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--shared", type=float, default=0.3, help="correlation of an image's captions")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    record = {"what": "coverage of intervals", **provenance(threads=1), **vars(arguments)}
    rows: list[dict[str, object]] = []
    for images in SIZES:
        for truth in TRUTHS:
            rows += coverage(images, truth, shared=arguments.shared, trials=arguments.trials, rng=rng)
            print(f"{images} images, {truth} %", flush=True)
    table = pd.DataFrame(rows).pivot(
        index=["images", "truth", "measure"], columns="method", values=["coverage", "width"]
    )
    print(table.round(1).to_string())
    write("coverage", record | {"rows": rows})
    least = table["coverage", "bounded"].min()
    print(f"least coverage of the bounded interval: {least:.1f} %; at least {LEAST} % is asked")
    return int(least < LEAST)


if __name__ == "__main__":
    sys.exit(main())
