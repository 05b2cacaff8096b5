"""Whether the risk that a calibrated depth promises is kept: real scores of dev and test, resplit by image many times.

    python benchmarks/risk.py --run .

reads a finished run of the default. A resplit deals the images of dev and test out anew, each with all its queries, into
parts of the sizes that they had; gap and weight are calibrated on the one as dev is. The promise is of the images that
calibration draws from, here those of both; what a user sees is the loss on the others, in which the chance of a small
test set is added. Beside it stands a calibration that is broken on purpose: without confidence, as if the captions of one
image did not depend on each other.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from measuring import provenance, write
from numpy.typing import NDArray

from reranksmart.evaluation.per_query import relevant_items
from reranksmart.evaluation.resampling import bounded_interval, bounded_weights, sums_of_images
from reranksmart.files.storage import read_captions, read_relevance
from reranksmart.ranking.calibration import Calibration, within_risk
from reranksmart.ranking.ranked_gallery import RankedGallery
from reranksmart.values.records import Direction

RISKS, CONFIDENCES = (0.05, 0.1), (0.75, 0.9)
RESAMPLES = 1000


@dataclass(frozen=True)
class Scored:
    """Cosines, log-odds and relevance (Q, K) of queries, the retriever's best first, and the image (Q,) of each, from 0."""

    cosines: NDArray[np.float32]
    log_odds: NDArray[np.float32]
    relevant: NDArray[np.bool_]
    image: NDArray[np.intp]

    @property
    def images(self) -> int:
        return int(self.image.max()) + 1

    def of(self, asked: NDArray[np.bool_]) -> Scored:
        image = np.unique(self.image[asked], return_inverse=True)[1]
        return Scored(self.cosines[asked], self.log_odds[asked], self.relevant[asked], image)

    def lost(self, chosen: Calibration) -> NDArray[np.bool_]:
        """Which queries (Q,) full depth answers rightly and the chosen one does not."""
        rows = np.arange(len(self.cosines))
        full, narrower = (
            self.relevant[rows, one.scores(self.cosines, self.log_odds).argmax(axis=1)]
            for one in (Calibration(chosen.weight, np.inf), chosen)
        )
        return full & ~narrower


Calibrate = Callable[[Scored], Calibration]


def proven(dev: Scored, *, risk: float, confidence: float) -> Calibration:
    return within_risk(dev.cosines, dev.log_odds, dev.relevant, dev.image, risk=risk, confidence=confidence)


def broken(dev: Scored, *, risk: float) -> Calibration:
    """The smallest gap whose loss on dev itself is within the risk: each query alone, at even odds."""
    return proven(replace(dev, image=np.arange(len(dev.image))), risk=risk, confidence=0.5)


def resplit(calibrate: Calibrate, pool: Scored, *, images: int, times: int) -> list[dict[str, float]]:
    """Of each resplit, calibrated on so many images: the share of queries that is lost, and pairs a query of others.

    ``population`` is the share of all queries of the pool, ``others`` of those of other images. All calls draw the same.
    """
    rng = np.random.default_rng(0)
    found = []
    for _ in range(times):
        seen = np.isin(pool.image, rng.permutation(pool.images)[:images])
        chosen = calibrate(pool.of(seen))
        lost, pairs = pool.lost(chosen), chosen.pairs(pool.cosines)
        shares = {"population": lost.mean(), "others": lost[~seen].mean(), "pairs": pairs[~seen].mean()}
        found.append({name: float(value) for name, value in shares.items()})
    return found


def within(outcomes: list[dict[str, float]], risk: float) -> dict[str, float]:
    """In how many resplits a loss was within the risk, and the mean loss and pairs a query."""
    counts = {f"kept_{name}": sum(one[name] <= risk for one in outcomes) for name in ("population", "others")}
    return counts | {name: float(np.mean([one[name] for one in outcomes])) for name in ("others", "pairs")}


def on_test(chosen: Calibration, test: Scored) -> dict[str, float]:
    """The share of test queries lost, with its interval of 95 % over images, and pairs a query, in the run's own split."""
    lost = test.lost(chosen).astype(float)
    weights = bounded_weights(test.images, resamples=RESAMPLES, rng=np.random.default_rng(0))
    low, high = bounded_interval([sums_of_images(lost, test.image, test.images)], weights)
    return {"lost": float(lost.mean()), "low": low, "high": high, "pairs": float(chosen.pairs(test.cosines).mean())}


def read(run: Path, models: str, seed: str, split: str, *, way: Direction, depth: int) -> Scored:
    """The scores of a split's queries by a retriever and a reranker, ``models`` as their folder is named."""
    results, retriever = run / "results", models.partition("-")[0]
    candidates = results / f"candidates/oscar/scenes/{retriever}/{seed}/scenes.{split}"
    gallery = RankedGallery(candidates, results / f"pair_scores/oscar/scenes/{models}/{seed}/scenes.{split}")
    ranking, log_odds = gallery.candidates("en", way, depth)
    relevance = read_relevance(results / f"relevance/scenes.{split}.npz")
    captions = read_captions(results / f"data/scenes/{split}/captions.jsonl")
    image_of = dict(zip(captions.ids, captions.image_ids, strict=True))
    image = np.unique([image_of.get(query, query) for query in ranking.query_ids], return_inverse=True)[1]
    relevant = relevant_items(ranking, relevance, way)[:, :depth]
    return Scored(ranking.scores[:, :depth], log_odds, relevant, image)


def pooled(dev: Scored, test: Scored) -> Scored:
    both = (
        np.concatenate([getattr(part, name) for part in (dev, test)]) for name in ("cosines", "log_odds", "relevant")
    )
    return Scored(*both, np.concatenate([dev.image, dev.images + test.image]))


def cells(dev: Scored, test: Scored, *, times: int) -> list[dict[str, Any]]:
    """One row for each risk and confidence, and for each risk without one by the broken calibration."""
    pool, rows = pooled(dev, test), []
    for risk in RISKS:
        calibrations: dict[float | None, Calibrate] = {
            confidence: partial(proven, risk=risk, confidence=confidence) for confidence in CONFIDENCES
        }
        for confidence, calibrate in {**calibrations, None: partial(broken, risk=risk)}.items():
            found = within(resplit(calibrate, pool, images=dev.images, times=times), risk)
            rows.append({"risk": risk, "confidence": confidence, **found, "test": on_test(calibrate(dev), test)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, default=Path("."), help="folder of a finished run of the default")
    parser.add_argument("--models", nargs="+", default=["bi_encoder-cross_encoder", "joint-joint"])
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--resplits", type=int, default=200)
    options = parser.parse_args()
    record = {"what": "whether calibrated risks are kept", **provenance(threads=1)}
    record |= {"depth": options.depth, "resplits": options.resplits, "cells": []}
    for models in options.models:
        for folder in sorted((options.run / "results/pair_scores/oscar/scenes" / models).glob("seed*")):
            for way in Direction:
                dev, test = (
                    read(options.run, models, folder.name, split, way=way, depth=options.depth)
                    for split in ("dev", "test")
                )
                record |= {"dev_images": dev.images, "test_images": test.images}
                of = {"models": models, "seed": int(folder.name.removeprefix("seed")), "direction": way.value}
                record["cells"] += [of | row for row in cells(dev, test, times=options.resplits)]
                print(*of.values(), *(row["kept_population"] for row in record["cells"][-6:]), flush=True)
    write("risk", record)


if __name__ == "__main__":
    main()
