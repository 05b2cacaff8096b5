"""What fewer bits do to the answers of trained models, against the same models in float32.

    python benchmarks/precision.py --results results

Reads a finished run of the workflow: its bi-encoder and cross-encoder, its test split and its relevance.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from measuring import provenance, write
from numpy.typing import NDArray
from scipy.stats import kendalltau

from reranksmart.encoding import encode_captions, encode_images, images_for_pairs
from reranksmart.inputs import RegionInputs, TokenisedCaptions, open_tokeniser
from reranksmart.models.checkpoints import load_model
from reranksmart.models.reduced import in_precision
from reranksmart.records import Direction
from reranksmart.regions import RegionStore
from reranksmart.reranking import score_pairs
from reranksmart.search import build_index, search
from reranksmart.storage import read_captions, read_relevance
from reranksmart.training.sampling import TrainingData

PRECISIONS = ("float32", "bfloat16", "int8")
RESAMPLES = 2000


def read(folder: Path, model: Path, *, dataset: str, split: str, language: str, captions_an_image: int) -> TrainingData:
    """Captions, regions and relevance of a split as a model reads them."""
    texts = read_captions(folder / "data" / dataset / split / "captions.jsonl").in_languages([language])
    texts = texts.first_of_each_image(captions_an_image)
    tokens = TokenisedCaptions.of(texts, open_tokeniser(model), max_tokens=70)
    images = RegionInputs(RegionStore.open(folder / "regions" / dataset / split))
    return TrainingData.of(texts, tokens, images, read_relevance(folder / "relevance" / f"{dataset}.{split}.npz"))


def candidates(data: TrainingData, model: Path, precision: str, depth: int) -> dict[Direction, NDArray[np.int64]]:
    """The rows (Q, K) that the bi-encoder retrieves, by direction."""
    net = in_precision(load_model(model), precision)
    vectors = encode_captions(net, data.tokens, data.captions.ids).vectors, encode_images(net, data.regions).vectors
    found = {}
    for direction in Direction:
        queries, gallery = direction.pair(*vectors)
        found[direction] = search(build_index(gallery), queries, depth=depth)[0].astype(np.int64)
    return found


def log_odds(data: TrainingData, model: Path, precision: str, rows: NDArray[np.int64], direction: Direction):
    """Scores (Q, K) float32 of each query with its candidates."""
    net = in_precision(load_model(model), precision)
    queries = np.repeat(np.arange(len(rows)), rows.shape[1])
    pairs = direction.pair(queries, rows.ravel())
    return score_pairs(net, data.tokens, images_for_pairs(net, data.regions), *pairs).reshape(rows.shape)


def first_hits(data: TrainingData, rows: NDArray[np.int64], direction: Direction) -> NDArray[np.bool_]:
    """(Q,) True where the first item is relevant to its query."""
    relevant, _ = direction.pair(data.relevant, data.relevant.T.tocsr())
    return np.asarray(relevant[np.arange(len(rows)), rows[:, 0]]).ravel().astype(bool)


def change(own: NDArray[np.bool_], exact: NDArray[np.bool_], images: NDArray[np.int64]) -> dict[str, float]:
    """Change of R@1 in points, and its 95 % interval by bootstrap over images."""
    difference = own.astype(float) - exact
    sums = np.bincount(images, weights=difference, minlength=images.max() + 1)
    counts = np.bincount(images, minlength=images.max() + 1)
    drawn = np.random.default_rng(0).integers(len(sums), size=(RESAMPLES, len(sums)))
    means = 100 * sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"R@1": 100 * float(own.mean()), "change": 100 * float(difference.mean()), "low": low, "high": high}


def overlap(own: NDArray[np.int64], exact: NDArray[np.int64]) -> float:
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(own.tolist(), exact.tolist(), strict=True)]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--backbone", default="oscar")
    parser.add_argument("--dataset", default="scenes")
    parser.add_argument("--split", default="test")
    parser.add_argument("--language", default="en")
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--captions-an-image", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    models = options.results / "models" / options.backbone / options.dataset
    retriever, reranker = (models / name / "seed1" / "model" for name in ("bi_encoder", "cross_encoder"))
    where = {"dataset": options.dataset, "split": options.split, "language": options.language}
    where["captions_an_image"] = options.captions_an_image
    data, pair_data = (read(options.results, model, **where) for model in (retriever, reranker))
    images_of = {Direction.TEXT_TO_IMAGE: data.image_rows, Direction.IMAGE_TO_TEXT: np.arange(len(data.regions))}
    record = {"what": "answers in fewer bits against float32", **provenance(threads=options.threads), **where}
    record |= {"backbone": options.backbone, "captions": len(data), "images": len(data.regions), "rows": []}
    retrieved = {precision: candidates(data, retriever, precision, options.depth) for precision in PRECISIONS}
    for direction in Direction:
        exact_rows = retrieved["float32"][direction]
        exact_hits = first_hits(data, exact_rows, direction)
        exact_scores = log_odds(pair_data, reranker, "float32", exact_rows, direction)
        exact_order = np.take_along_axis(exact_rows, np.argsort(-exact_scores, axis=1, kind="stable"), axis=1)
        exact_reranked = first_hits(data, exact_order, direction)
        for precision in PRECISIONS:
            rows = retrieved[precision][direction]
            hits = first_hits(data, rows, direction)
            record["rows"].append(
                {"direction": str(direction), "stage": "encode", "precision": precision}
                | {"overlap_at_20": overlap(rows, exact_rows), **change(hits, exact_hits, images_of[direction])}
            )
            scores = log_odds(pair_data, reranker, precision, exact_rows, direction)
            order = np.take_along_axis(exact_rows, np.argsort(-scores, axis=1, kind="stable"), axis=1)
            taus = [kendalltau(a, b).statistic for a, b in zip(scores, exact_scores, strict=True)]
            record["rows"].append(
                {"direction": str(direction), "stage": "rerank", "precision": precision}
                | {"kendall_tau": float(np.mean(taus)), "largest_error": float(np.abs(scores - exact_scores).max())}
                | {"same_first": float((order[:, 0] == exact_order[:, 0]).mean())}
                | change(first_hits(data, order, direction), exact_reranked, images_of[direction])
            )
    write("precision", record)


if __name__ == "__main__":
    main()
