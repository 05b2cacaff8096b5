"""What fewer bits do to the answers: retrieval and re-ranking in each precision against the same in float32."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reranksmart.cost.roles import Role
from reranksmart.evaluation.resampling import image_weights, percentile_interval
from reranksmart.families import load_model
from reranksmart.inputs.images import open_images
from reranksmart.inputs.stored import TokenisedCaptions, open_tokeniser
from reranksmart.models.interface import BiEncoder
from reranksmart.models.reduced import can_compute, in_precision, is_native
from reranksmart.models.single_stream import SingleStream
from reranksmart.ranking.encoding import encode_captions, encode_images, images_for_pairs
from reranksmart.ranking.gpu_index import to_device
from reranksmart.ranking.reranking import score_pairs
from reranksmart.ranking.search import build_index, retrieve
from reranksmart.training.sampling import TrainingData
from reranksmart.values.precision import PRECISIONS, Precision
from reranksmart.values.recalls import hits
from reranksmart.values.records import Captions, Direction, Ranking, Relevance

EXACT: Precision = "float32"


def fewer_bits_here(models: Iterable[SingleStream]) -> list[Precision]:
    """The precisions beside float32 that all of these models have and that their device does not emulate."""
    nets = list(models)
    others = [name for name in PRECISIONS if name != EXACT]
    return [name for name in others if all(can_compute(net, name) and is_native(name, net.device) for net in nets)]


def read_role(role: Role, captions: Captions, relevance: Relevance) -> tuple[SingleStream, TrainingData]:
    """A role's model with one caption an image, and the images, as it reads them."""
    asking = captions.in_languages(role.reading.languages[:1]).first_of_each_image(1)
    tokens = TokenisedCaptions.of(asking, open_tokeniser(role.model), max_tokens=role.reading.max_tokens)
    images = open_images([role.images], read_by=role.model, tag_tokens=role.reading.tags_read)
    return load_model(role.model), TrainingData.of(asking, tokens, images, relevance)


@dataclass(frozen=True)
class _Answer:
    """The rows (Q, K) of each query's items, best first, and whether the first is right (Q,)."""

    rows: NDArray[np.int32]
    hits: NDArray[np.bool_]


def bit_costs(
    retriever: tuple[SingleStream, TrainingData],
    reranker: tuple[SingleStream, TrainingData],
    *,
    precisions: Sequence[Precision],
    depth: int,
    resamples: int,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """One row a direction, stage and precision: ``r_at_1`` and ``change`` (points, with 95 % ``low`` and ``high`` by
    bootstrap over images) against float32, and ``overlap``, the share of the first ``depth`` items in common.

    Each model comes with the captions and images as it reads them. The reranker scores what the retriever found in
    float32, twice ``depth`` items a query, so that its first ``depth`` can differ.
    """
    _, data = retriever
    found = {precision: _retrieved(*retriever, precision, 2 * depth) for precision in (EXACT, *precisions)}
    rows = []
    for direction in Direction:
        candidates = found[EXACT][direction]
        images = data.image_rows if direction is Direction.TEXT_TO_IMAGE else np.arange(len(data.regions))
        weights = image_weights(len(data.regions), resamples=resamples, rng=rng)
        answers = {
            "encode": {name: _answer(data, own[direction], direction) for name, own in found.items()},
            "rerank": {
                name: _answer(data, _reranked(*reranker, name, candidates, direction), direction) for name in found
            },
        }
        for stage, own in answers.items():
            rows += [
                {"direction": str(direction), "stage": stage, "precision": name, "queries": len(answer.hits)}
                | {"overlap": _overlap(answer.rows[:, :depth], own[EXACT].rows[:, :depth])}
                | _change(answer.hits, own[EXACT].hits, images, weights)
                for name, answer in own.items()
            ]
    return rows


def _retrieved(model: SingleStream, data: TrainingData, precision: Precision, depth: int) -> dict[Direction, Ranking]:
    net: BiEncoder = in_precision(model, precision)
    embeddings = encode_captions(net, data.tokens, data.captions.ids), encode_images(net, data.regions)
    found = {}
    for direction in Direction:
        queries, gallery = direction.pair(*embeddings)
        found[direction] = retrieve(queries, gallery.ids, to_device(build_index(gallery.vectors)), depth=depth)
    return found


def _reranked(
    model: SingleStream, data: TrainingData, precision: Precision, candidates: Ranking, direction: Direction
) -> Ranking:
    net, rows = in_precision(model, precision), candidates.items.astype(np.int64)
    pairs = direction.pair(np.repeat(np.arange(len(rows)), rows.shape[1]), rows.ravel())
    scores = score_pairs(net, data.tokens, images_for_pairs(net, data.regions), *pairs).reshape(rows.shape)
    return candidates.rescored(scores)


def _answer(data: TrainingData, ranking: Ranking, direction: Direction) -> _Answer:
    relevant = data.relevant if direction is Direction.TEXT_TO_IMAGE else data.relevant.T.tocsr()
    rows = ranking.items
    return _Answer(rows, hits(relevant, rows[:, :1])[:, 0])


def _overlap(own: NDArray[np.int32], exact: NDArray[np.int32]) -> float:
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(own.tolist(), exact.tolist(), strict=True)]))


def _change(
    own: NDArray[np.bool_], exact: NDArray[np.bool_], images: NDArray[np.int64], weights: NDArray[np.float64]
) -> dict[str, float]:
    difference = 100 * (own.astype(float) - exact)
    sums = np.bincount(images, weights=difference, minlength=weights.shape[1])
    counts = np.bincount(images, minlength=weights.shape[1])
    low, high = percentile_interval(weights @ sums / (weights @ counts))
    return {"r_at_1": 100 * float(own.mean()), "change": float(difference.mean()), "low": low, "high": high}
