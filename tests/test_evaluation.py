from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from reranksmart.evaluation.cooperation import require_recall_unchanged
from reranksmart.evaluation.per_query import per_query_measures, read_per_query, with_images, write_per_query
from reranksmart.evaluation.resampling import bounded_interval, bounded_weights, sums_of_images
from reranksmart.evaluation.summary import MEASURE_COLUMNS, MEASURES, summarise
from reranksmart.evaluation.twins import twin_accuracy
from reranksmart.ranking import fusion
from reranksmart.values.records import Captions, Direction, Ranking, Relevance

PARITY = Path(__file__).parent / "parity" / "data"
T2I, I2T = Direction.TEXT_TO_IMAGE, Direction.IMAGE_TO_TEXT
EXPERIMENT = {
    "backbone": "toy",
    "training_set": "train",
    "system": "be",
    "seed": 1,
    "test_set": "test",
    "language": "en",
    "depth": 20,
    "fusion": "none",
}


def captions_of(images: int, per_image: int) -> Captions:
    numbers = range(images * per_image)
    return Captions(
        ids=tuple(f"c{n}" for n in numbers),
        texts=tuple(f"text {n}" for n in numbers),
        image_ids=tuple(f"i{n // per_image}" for n in numbers),
        languages=("en",) * (images * per_image),
    )


def full_ranking(scores: np.ndarray, query_ids: tuple[str, ...], gallery_ids: tuple[str, ...]) -> Ranking:
    items = np.broadcast_to(np.arange(scores.shape[1], dtype=np.int32), scores.shape)
    return Ranking(query_ids, gallery_ids, items, scores.astype(np.float32))


def measured(scores: np.ndarray, captions: Captions) -> dict[Direction, pd.DataFrame]:
    """Both directions from a (captions, images) matrix."""
    images = tuple(dict.fromkeys(captions.image_ids))
    rankings = {T2I: full_ranking(scores, captions.ids, images), I2T: full_ranking(scores.T, images, captions.ids)}
    return {
        direction: with_images(per_query_measures(ranking, captions.relevance(), direction), captions, direction)
        for direction, ranking in rankings.items()
    }


def brute_force(ranked: list[str], relevant: frozenset[str]) -> dict[str, float]:
    hits = [item in relevant for item in ranked]
    first = hits.index(True) + 1 if any(hits) else np.inf
    ideal = sum(1 / np.log2(place + 2) for place in range(min(10, len(relevant))))
    precisions = [sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits[:10]) if hit]
    return {
        **{f"R@{k}": float(any(hits[:k])) for k in (1, 5, 10)},
        "MRR@10": 1 / first if first <= 10 else 0.0,
        "nDCG@10": sum(1 / np.log2(place + 2) for place, hit in enumerate(hits[:10]) if hit) / ideal,
        "MAP@10": sum(precisions) / min(10, len(relevant)),
        "rank": float(first),
    }


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), queries=st.integers(1, 6), gallery=st.integers(1, 30), tied=st.booleans())
def test_measures_equal_brute_force(seed: int, queries: int, gallery: int, tied: bool) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 3, (queries, gallery)) if tied else rng.standard_normal((queries, gallery))
    query_ids, gallery_ids = tuple(f"q{n}" for n in range(queries)), tuple(f"g{n}" for n in range(gallery))
    truth = rng.random((queries, gallery)) < rng.choice([0.05, 0.9])
    truth[np.arange(queries), rng.integers(gallery, size=queries)] = True
    rows, columns = np.nonzero(truth)
    relevance = Relevance(tuple(query_ids[r] for r in rows), tuple(gallery_ids[c] for c in columns))
    depth = int(rng.integers(min(10, gallery), gallery + 1))
    ranking = full_ranking(scores, query_ids, gallery_ids).top(depth)
    found = per_query_measures(ranking, relevance, T2I)
    expected = [brute_force(ranking.item_ids(row), relevance.items_by_query(T2I)[q]) for row, q in enumerate(query_ids)]
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected, index=pd.Index(query_ids, name="query")), rtol=1e-12)


@pytest.mark.parametrize("case", ["on_S", "on_S_random", "on_L1", "end_to_end"])
def test_measures_equal_the_published_evaluators(case: str) -> None:
    with np.load(PARITY / "evaluators.npz") as frozen:
        found = means_of_items(frozen[f"{case}_t2i"], frozen[f"{case}_i2t"], images=200, captions=1000)
        np.testing.assert_allclose(found, frozen[f"{case}_expected"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("block", [27, 37])
def test_blocks_shorten_the_last_captions_lists_as_in_the_published_evaluator(block: int) -> None:
    """Its ``batched_sim`` ranks min(10, captions of the block - 1) images: the last caption of 1,000 gets none at all.

    The recorded means are of blocks of 37. Ours counts the gallery, which gives 0.6113 in any blocks.
    """
    recorded = [0.274, 0.534, 0.648, 0.3819, 0.44512070281522575, 0.3819, 0.515, 0.805, 0.89]
    with np.load(PARITY / "evaluators.npz") as frozen:
        whole, i2t = frozen["end_to_end_t2i"], frozen["end_to_end_i2t"]
        expected = frozen["end_to_end_expected"]
    depths = [
        min(10, min(block, 1000 - start) - 1)
        for start in range(0, 1000, block)
        for _ in range(start, min(start + block, 1000))
    ]
    relevance = Relevance(tuple(f"c{n}" for n in range(1000)), tuple(f"i{n // 5}" for n in range(1000)))
    image_ids = tuple(f"i{n}" for n in range(200))
    falling = -np.broadcast_to(np.arange(10, dtype=np.float32), whole.shape)
    ranking = Ranking(relevance.caption_ids, image_ids, whole.astype(np.int32), falling)
    found = per_query_measures(ranking, relevance, T2I)
    found.loc[found["rank"] > depths, list(MEASURES)] = 0.0
    means = found[list(MEASURES)].mean().tolist()
    assert [*means, *expected[6:9]] == pytest.approx(recorded, abs=1e-12)
    recalls = [*means[:3], *expected[6:9]]
    assert (np.mean(recalls), expected[-1]) == pytest.approx((0.611, 0.6113333333333334), abs=1e-12)
    assert len(i2t) == 200


@pytest.mark.parametrize(("case", "evaluated", "images"), [("plain", 200, 200), ("enlarged", 120, 270)])
def test_reranking_by_logit_1_equals_the_published_evaluator(case: str, evaluated: int, images: int) -> None:
    with np.load(PARITY / "evaluators_rerank.npz") as frozen:
        items = {side: frozen[f"{case}_{side}_items"] for side in ("t2i", "i2t")}
        scores = {side: -frozen[f"{case}_{side}_logit1_rank"].astype(np.float32) for side in ("t2i", "i2t")}
        found = means_of_items(items["t2i"], items["i2t"], images, 1000, evaluated, (scores["t2i"], scores["i2t"]))
        np.testing.assert_allclose(found, frozen[f"{case}_standard_expected"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("weight", ["0.5", "0.2"])
def test_weighted_probability_equals_the_published_combination(weight: str) -> None:
    with np.load(PARITY / "evaluators_rerank.npz") as frozen:
        unit = np.float32(0.5) ** int(frozen["fraction_bits"])
        fused = [
            fusion.weighted_probability(
                (frozen[f"plain_{side}_cosine"] * unit).astype(np.float32),
                (frozen[f"plain_{side}_log_odds"] * unit).astype(np.float32),
                weight=float(weight),
            )
            for side in ("t2i", "i2t")
        ]
        items = [frozen[f"plain_{side}_items"] for side in ("t2i", "i2t")]
        found = means_of_items(items[0], items[1], 200, 1000, 200, (fused[0], fused[1]))
        np.testing.assert_allclose(found, frozen[f"plain_combination_{weight}_expected"], rtol=0, atol=1e-12)


def means_of_items(
    t2i: np.ndarray,
    i2t: np.ndarray,
    images: int,
    captions: int,
    evaluated: int | None = None,
    scores: tuple[np.ndarray, np.ndarray] | None = None,
) -> list[float]:
    """Six means of either direction, then mR, where five captions each describe the first ``evaluated`` images."""
    evaluated = evaluated or images
    image_ids, caption_ids = tuple(f"i{n}" for n in range(images)), tuple(f"c{n}" for n in range(captions))
    relevance = Relevance(caption_ids[: evaluated * 5], tuple(image_ids[n // 5] for n in range(evaluated * 5)))
    falling = [-np.broadcast_to(np.arange(items.shape[1], dtype=np.float32), items.shape) for items in (t2i, i2t)]
    t2i_scores, i2t_scores = scores or falling
    means = [
        per_query_measures(Ranking(queries, gallery, items.astype(np.int32), given_scores), relevance, direction)[
            list(MEASURES)
        ].mean()
        for direction, queries, gallery, items, given_scores in (
            (T2I, caption_ids[: evaluated * 5], image_ids, t2i, t2i_scores),
            (I2T, image_ids[:evaluated], caption_ids, i2t, i2t_scores),
        )
    ]
    recalls = [mean[name] for mean in means for name in ("R@1", "R@5", "R@10")]
    return [*means[0], *means[1], float(np.mean(recalls))]


def test_measuring_twice_gives_the_same_and_leaves_the_relevance_as_it_was() -> None:
    """The published evaluators write into the relevance that they are given: the second one finds one caption an image."""
    captions = captions_of(30, 5)
    relevance = captions.relevance()
    scores = np.random.default_rng(2).standard_normal((150, 30))
    ranking = full_ranking(scores.T, tuple(dict.fromkeys(captions.image_ids)), captions.ids)
    first, second = (per_query_measures(ranking, relevance, I2T) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert relevance == captions.relevance()
    assert {len(items) for items in relevance.items_by_query(I2T).values()} == {5}


def test_a_query_without_relevant_items_is_an_error_that_names_it() -> None:
    ranking = full_ranking(np.eye(2), ("c0", "c1"), ("i0", "i1"))
    with pytest.raises(ValueError, match=r"1 of 2 text-to-image queries .* 'c1'"):
        per_query_measures(ranking, Relevance(("c0",), ("i0",)), T2I)
    with pytest.raises(ValueError, match="'c0'"):
        per_query_measures(ranking, Relevance(("c0", "c1"), ("elsewhere", "i0")), T2I)


def test_a_ranking_too_shallow_for_recall_at_10_is_an_error() -> None:
    ranking = full_ranking(np.zeros((1, 12)), ("c0",), tuple(f"i{n}" for n in range(12)))
    with pytest.raises(ValueError, match=r"5 items were ranked of a gallery of 12"):
        per_query_measures(ranking.top(5), Relevance(("c0",), ("i0",)), T2I)


def test_distractors_in_the_gallery_lower_no_ideal_and_need_no_relevance() -> None:
    scores = np.array([[0.5, 0.9, 0.1]])
    found = per_query_measures(full_ranking(scores, ("c0",), ("i0", "x0", "x1")), Relevance(("c0",), ("i0",)), T2I)
    assert found.loc["c0", ["R@1", "R@5", "rank"]].tolist() == [0, 1, 2]
    assert found.loc["c0", "nDCG@10"] == pytest.approx(1 / np.log2(3))


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), depth=st.integers(1, 20))
def test_reranking_changes_no_recall_at_or_beyond_its_depth(seed: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    captions = captions_of(images=20, per_image=2)
    before = full_ranking(rng.standard_normal((40, 20)), captions.ids, tuple(dict.fromkeys(captions.image_ids)))
    after = before.rescored(rng.choice([1e-6, 1.0, 1e6]) * rng.standard_normal((40, depth)).astype(np.float32))
    require_recall_unchanged(before, after, depth=depth)
    ranks = [per_query_measures(ranking, captions.relevance(), T2I)["rank"] for ranking in (before, after)]
    for k in range(depth, 21):
        assert np.array_equal(ranks[0] <= k, ranks[1] <= k)


def test_a_reranking_that_changes_recall_is_an_error_that_names_the_query() -> None:
    before = full_ranking(np.array([[3.0, 2, 1, 0], [3, 2, 1, 0]]), ("c0", "c1"), ("i0", "i1", "i2", "i3"))
    swapped = full_ranking(np.array([[3.0, 2, 1, 0], [3, 1, 2, 0]]), ("c0", "c1"), ("i0", "i1", "i2", "i3"))
    require_recall_unchanged(before, swapped, depth=3)
    require_recall_unchanged(before, swapped.top(3), depth=3)
    with pytest.raises(ValueError, match="'c1'"):
        require_recall_unchanged(before, swapped, depth=2)
    with pytest.raises(ValueError, match="'c1'"):
        require_recall_unchanged(before, swapped, depth=1)
    with pytest.raises(ValueError, match="different queries"):
        require_recall_unchanged(before, full_ranking(np.eye(4), ("a", "b", "c", "d"), before.gallery_ids), depth=1)


def test_summary_is_in_percent_and_joins_both_directions() -> None:
    captions = captions_of(images=30, per_image=2)
    rng = np.random.default_rng(0)
    truth = np.equal.outer(np.array(captions.image_ids), np.array([f"i{n}" for n in range(30)]))
    per_query = measured(truth * 2 + rng.standard_normal((60, 30)), captions)
    table = summarise(
        per_query, experiment=EXPERIMENT, pairs_scored={T2I: 1200, I2T: 600}, rng=np.random.default_rng(1)
    )
    assert tuple(table.columns) == MEASURE_COLUMNS
    value = table.set_index(["direction", "measure"])["value"]
    assert value["text-to-image", "R@1"] == pytest.approx(100 * per_query[T2I]["R@1"].mean())
    assert value["text-to-image", "median rank"] == np.median(per_query[T2I]["rank"])
    recalls = [value[direction.value, f"R@{k}"] for direction in Direction for k in (1, 5, 10)]
    assert value["both", "rsum"] == pytest.approx(sum(recalls))
    assert value["both", "mR"] == pytest.approx(sum(recalls) / 6)
    assert (table["low"] <= table["value"] + 1e-9).all()
    assert (table["value"] <= table["high"] + 1e-9).all()
    counts = table.set_index(["direction", "measure"])[["queries", "images", "pairs_scored"]]
    assert counts.loc[("both", "mR")].tolist() == [90, 30, 1800]


def test_summary_repeats_bit_for_bit_with_its_seed() -> None:
    per_query = measured(np.random.default_rng(0).standard_normal((24, 12)), captions_of(images=12, per_image=2))
    tables = [
        summarise(per_query, experiment=EXPERIMENT, pairs_scored={T2I: 0, I2T: 0}, rng=np.random.default_rng(7))
        for _ in range(2)
    ]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


@pytest.mark.parametrize("queries", [6, 7])
def test_median_rank_interval_equals_resampling_the_ranks_themselves(queries: int) -> None:
    rng = np.random.default_rng(3)
    ranks = rng.integers(1, 6, queries).astype(float)
    ranks[0] = np.inf
    frame = pd.DataFrame(dict.fromkeys(MEASURES, 0.0) | {"rank": ranks}, index=[f"c{n}" for n in range(queries)])
    frame.insert(0, "image", [f"i{n}" for n in range(queries)])
    table = summarise({T2I: frame}, experiment=EXPERIMENT, pairs_scored={T2I: 0}, rng=np.random.default_rng(5))
    drawn = np.random.default_rng(5).integers(queries, size=(1000, queries))
    expected = np.quantile(np.median(ranks[drawn], axis=1), [0.025, 0.975], method="inverted_cdf")
    assert table.set_index("measure").loc["median rank", ["low", "high"]].tolist() == expected.tolist()


def test_interval_of_recall_covers_the_truth_about_as_often_as_it_claims() -> None:
    rng = np.random.default_rng(11)
    chance_of_image = rng.beta(2, 2, size=20_000)
    covered, width, narrow = 0, [], []
    for trial in range(150):
        chance = rng.choice(chance_of_image, 80)
        hits = rng.random((80, 5)) < chance[:, None]  # five captions of an image share its difficulty
        frame = pd.DataFrame({name: hits.ravel().astype(float) for name in MEASURES} | {"rank": 1.0})
        frame.insert(0, "image", np.repeat([f"i{n:02}" for n in range(80)], 5))
        table = summarise(
            {T2I: frame},
            experiment=EXPERIMENT,
            pairs_scored={T2I: 0},
            rng=np.random.default_rng(trial),
            resamples=300,
        )
        low, high = table.iloc[0][["low", "high"]]
        covered += low <= 100 * chance_of_image.mean() <= high
        width.append(high - low)
        narrow.append(2 * 1.96 * 100 * hits.std() / np.sqrt(hits.size))  # as if captions were independent
    assert 0.88 <= covered / 150 <= 0.99
    assert np.mean(width) > 1.2 * np.mean(narrow)


@pytest.mark.parametrize(("right", "images"), [(12, 24), (24, 24), (0, 24), (318, 320), (320, 320)])
def test_interval_of_one_query_an_image_is_clopper_and_pearsons(right: int, images: int) -> None:
    values = (np.arange(images) < right).astype(float)
    weights = bounded_weights(images, resamples=20_000, rng=np.random.default_rng(0))
    low, high = bounded_interval([sums_of_images(values, np.arange(images), images)], weights)
    exact = binomtest(right, images).proportion_ci(0.95, method="exact")
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=0.3 / images**0.5)
    assert low == 0 or right > 0
    assert high == 1 or right < images


def test_perfect_recall_of_few_images_is_no_certainty() -> None:
    """The bootstrap of what was seen had rsum 600.0 [600.0, 600.0]: 1 - 0.025^(1/320) of 600 points are 6.9."""
    per_query = measured(np.repeat(np.eye(320), 5, axis=0), captions_of(images=320, per_image=5))
    table = summarise(
        per_query, experiment=EXPERIMENT, pairs_scored={T2I: 0, I2T: 0}, rng=np.random.default_rng(0), resamples=5000
    ).set_index(["direction", "measure"])
    assert table.loc[("both", "rsum"), ["value", "high"]].tolist() == [600, 600]
    assert table.loc[("both", "rsum"), "low"] == pytest.approx(600 - 6.9, abs=0.4)
    for direction in Direction:
        assert table.loc[(direction.value, "R@1"), "low"] == pytest.approx(100 - 1.15, abs=0.07)


def test_interval_of_twins_counts_pairs_and_not_their_captions() -> None:
    captions = captions_of(images=8, per_image=5)
    own, twin = np.ones(40, np.float32), np.zeros(40, np.float32)
    table = twin_accuracy(
        captions,
        tuple(dict.fromkeys(captions.image_ids)),
        own_scores=own,
        twin_scores=twin,
        experiment=EXPERIMENT,
        rng=np.random.default_rng(0),
        resamples=5000,
    )
    assert table["high"].tolist() == [100, 100, 100]
    assert table["low"].to_numpy() == pytest.approx(100 * 0.025 ** (1 / 4), abs=3)  # 4 pairs, all told apart


def test_doubled_images_halve_what_is_found_first_whoever_ranks_them() -> None:
    """The lowest row first gave everything to the originals, the highest nothing."""
    captions = captions_of(images=100, per_image=5)
    images = tuple(dict.fromkeys(captions.image_ids))
    doubles = tuple(f"{image} again" for image in images)
    scores = np.tile(np.repeat(np.eye(100), 5, axis=0), 2)
    found = []
    for order in (np.arange(200), np.arange(200)[::-1], np.random.default_rng(0).permutation(200)):
        ranking = full_ranking(scores[:, order], captions.ids, tuple((images + doubles)[n] for n in order))
        found.append(per_query_measures(ranking, captions.relevance(), T2I)["R@1"])
    assert found[0].mean() == pytest.approx(0.5, abs=0.09)  # 4 deviations
    assert found[0].tolist() == found[1].tolist() == found[2].tolist()


def test_summary_names_a_missing_experiment_key() -> None:
    per_query = measured(np.eye(2), captions_of(images=2, per_image=1))
    short = {name: value for name, value in EXPERIMENT.items() if name != "fusion"}
    with pytest.raises(ValueError, match="fusion"):
        summarise(per_query, experiment=short, pairs_scored={T2I: 0, I2T: 0}, rng=np.random.default_rng(0))


def test_per_query_values_on_disk_come_back_exactly(tmp_path: Path) -> None:
    per_query = measured(np.random.default_rng(0).standard_normal((24, 12)), captions_of(images=12, per_image=2))
    per_query[T2I].iloc[0, -1] = np.inf
    write_per_query(tmp_path / "values.csv", per_query)
    loaded = read_per_query(tmp_path / "values.csv")
    assert list(loaded) == list(per_query)
    for direction, frame in per_query.items():
        pd.testing.assert_frame_equal(loaded[direction], frame, check_exact=True, check_dtype=False)


def test_an_id_na_is_one_as_any_other_and_an_empty_measure_is_refused(tmp_path: Path) -> None:
    captions = Captions(("NA", "null"), ("a", "b"), ("nan", "None"), ("en", "en"))
    write_per_query(tmp_path / "values.csv", measured(np.eye(2), captions))
    assert read_per_query(tmp_path / "values.csv")[T2I].index.tolist() == ["NA", "null"]
    text = (tmp_path / "values.csv").read_text()
    for empty in ("", "nan"):
        (tmp_path / "values.csv").write_text(text.replace(",1.0,", f",{empty},", 1))
        with pytest.raises(ValueError, match="a measure that is no number"):
            read_per_query(tmp_path / "values.csv")


def test_twins_told_apart_score_100_and_random_scores_about_50() -> None:
    captions = captions_of(images=200, per_image=5)
    images = tuple(dict.fromkeys(captions.image_ids))
    truth = np.equal.outer(np.array(captions.image_ids), np.array(images)).astype(np.float32)
    noise = np.random.default_rng(0).standard_normal(truth.shape).astype(np.float32)
    for matrix, low, high in ((truth, 100, 100), (noise, 44, 56), (np.zeros_like(truth), 50, 50)):
        rows, own_images = np.arange(len(captions)), np.array([images.index(image) for image in captions.image_ids])
        own, twin = matrix[rows, own_images], matrix[rows, own_images ^ 1]
        table = twin_accuracy(
            captions, images, own_scores=own, twin_scores=twin, experiment=EXPERIMENT, rng=np.random.default_rng(0)
        )
        assert table["direction"].tolist() == ["text-to-image", "image-to-text", "both"]
        assert table["value"].between(low, high).all()


def test_twin_accuracy_of_two_pairs_by_hand() -> None:
    captions = captions_of(images=4, per_image=1)
    # own and twin score of caption n: image 0 against 1, then 2 against 3
    own, twin = np.float32([5, 1, 2, 2]), np.float32([4, 3, 2, 1])
    table = twin_accuracy(
        captions,
        ("i0", "i1", "i2", "i3"),
        own_scores=own,
        twin_scores=twin,
        experiment=EXPERIMENT,
        rng=np.random.default_rng(0),
    )
    # text-to-image: 5>4, 1<3, 2=2, 2>1; image-to-text: 5>3, 1<4, 2>1, 2=2
    assert table["value"].tolist() == [62.5, 62.5, 62.5]


def test_an_image_without_a_twin_is_an_error() -> None:
    captions = captions_of(images=3, per_image=1)
    scores = np.zeros(3, dtype=np.float32)
    with pytest.raises(ValueError, match="3 images"):
        twin_accuracy(
            captions,
            ("i0", "i1", "i2"),
            own_scores=scores,
            twin_scores=scores,
            experiment=EXPERIMENT,
            rng=np.random.default_rng(0),
        )
