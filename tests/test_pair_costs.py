import torch
from toy import model, training_data

from reranksmart.cost.pair_costs import bytes_per_image, pair_costs
from reranksmart.ranking.encoding import EmbeddedImages

DATA = training_data(20)
MODELS = {"whole": model().eval(), "stored": model().eval().with_cached_layers(1)}


def test_every_raw_time_of_every_model_is_kept():
    torch.set_num_threads(1)
    timed = {name: (network, DATA.tokens) for name, network in MODELS.items()}
    rows = pair_costs(timed, DATA.regions, depth=5, queries=4, warmup=1, bulk_pairs=30, bulk_repeats=2)
    found = {(row["system"], row["kind"], row["repeat"]) for row in rows}
    assert found == {
        (name, kind, repeat)
        for name in MODELS
        for kind, repeats in (("query", 4), ("bulk", 2))
        for repeat in range(repeats)
    }
    assert {row["kind"]: row["pairs"] for row in rows} == {"query": 5, "bulk": 30}
    assert all(row["time_ms"] > 0 for row in rows)


def test_bytes_of_an_image_count_its_regions_and_no_padding():
    images = EmbeddedImages.of(MODELS["stored"], DATA.regions)
    assert bytes_per_image(images) == 2 * 32 * 4  # two regions, width 32, float32
