"""The twin probe: does a model prefer the picture that a caption is true of to the same objects rearranged?"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reranksmart.evaluation.resampling import bounded_interval, bounded_weights, sums_of_images
from reranksmart.evaluation.summary import MEASURE_COLUMNS, mean_row
from reranksmart.values.records import Captions, Direction


def twin_of_images(image_ids: Sequence[str]) -> dict[str, str]:
    """Each image's twin, where twins stand side by side: images 0 and 1, 2 and 3, and so on."""
    if len(image_ids) % 2:
        raise ValueError(f"twins come in pairs, got {len(image_ids)} images; the last one has no twin")
    return {image: image_ids[place ^ 1] for place, image in enumerate(image_ids)}


def twins_by_language(
    captions: Captions,
    *,
    own_scores: NDArray[np.float32],
    twin_scores: NDArray[np.float32],
    experiment: Mapping[str, Any],
    foils: Collection[str],
    resamples: int,
) -> pd.DataFrame:
    """The rows of ``twin_accuracy`` for every language of the captions; intervals draw by the experiment's seed."""
    tables = []
    for language in sorted(set(captions.languages)):
        rows = [row for row, found in enumerate(captions.languages) if found == language]
        chosen = captions.take(rows)
        tables.append(
            twin_accuracy(
                chosen,
                list(dict.fromkeys(chosen.image_ids)),
                own_scores=own_scores[rows],
                twin_scores=twin_scores[rows],
                experiment={**experiment, "language": language, "depth": 0, "fusion": "none"},
                rng=np.random.default_rng(experiment["seed"]),
                foils=foils,
                resamples=resamples,
            )
        )
    return pd.concat(tables)


def twin_accuracy(
    captions: Captions,
    image_ids: Sequence[str],
    *,
    own_scores: NDArray[np.float32],
    twin_scores: NDArray[np.float32],
    experiment: Mapping[str, object],
    rng: np.random.Generator,
    foils: Collection[str] = (),
    resamples: int = 1000,
) -> pd.DataFrame:
    """Rows of the long table, measure ``twin accuracy`` in percent, where guessing gets 50; a tie counts half.

    Images 0 and 1, 2 and 3, ... of ``image_ids`` are twins: a caption of one is false of the other. Text-to-image asks
    of each caption whether ``own_scores`` (its score with its own image) beats ``twin_scores`` (with the twin), both
    (captions,). Image-to-text asks of each image whether its n-th caption beats the twin's n-th. The interval is
    ``bounded_interval``'s over pairs of twins. ``pairs_scored`` counts each (caption, image) once.

    ``foils`` are twins that show the same picture with captions that are false of it (SugarCrepe). Then only images
    that are no foils choose, and one is right where all of its captions win.
    """
    twin_of = twin_of_images(image_ids)
    outside = set(captions.image_ids) ^ set(image_ids)
    if outside:
        raise ValueError(f"image {min(outside)!r} has no caption, or is not among the twins")
    rows_of: dict[str, list[int]] = {image: [] for image in image_ids}
    for row, image in enumerate(captions.image_ids):
        rows_of[image].append(row)
    for image, twin in twin_of.items():
        if len(rows_of[image]) != len(rows_of[twin]):
            raise ValueError(
                f"twins {image!r} and {twin!r} have {len(rows_of[image])} and {len(rows_of[twin])} captions; "
                "image-to-text compares them one to one, so give both equally many"
            )
    pair_of_image = {image: place // 2 for place, image in enumerate(image_ids)}
    pair = np.array([pair_of_image[image] for image in captions.image_ids])
    counterpart = np.empty(len(captions), dtype=np.intp)  # the twin's caption with the same number
    for image, twin in twin_of.items():
        counterpart[rows_of[image]] = rows_of[twin]
    right = {
        Direction.TEXT_TO_IMAGE: _wins(own_scores, twin_scores),
        Direction.IMAGE_TO_TEXT: _wins(own_scores, twin_scores[counterpart]),
    }
    right_by_direction = {direction.value: won for direction, won in right.items()}
    right_by_direction["both"] = (right[Direction.TEXT_TO_IMAGE] + right[Direction.IMAGE_TO_TEXT]) / 2
    pairs = len(image_ids) // 2
    if foils:
        chosen = [rows_of[image] for image in image_ids if image not in foils]
        if len(chosen) != pairs:
            raise ValueError(
                f"{len(image_ids) - len(chosen)} of {len(image_ids)} images are foils; it must be every second"
            )
        worst = np.array([right[Direction.IMAGE_TO_TEXT][rows].min() for rows in chosen])
        right_by_direction, pair = {Direction.IMAGE_TO_TEXT.value: worst}, np.arange(len(chosen))
    weights = bounded_weights(pairs, resamples=resamples, rng=rng)
    rows = []
    for direction, won in right_by_direction.items():
        scored = len(captions) if foils else 2 * len(won)
        shared = {"direction": direction, "queries": len(won), "images": len(image_ids), "pairs_scored": scored}
        interval = bounded_interval([sums_of_images(won, pair, pairs)], weights)
        rows.append(mean_row(shared, "twin accuracy", won.mean(), interval))
    return pd.DataFrame([{**experiment, **row} for row in rows], columns=list(MEASURE_COLUMNS))


def _wins(own: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.where(own == other, 0.5, own > other)
