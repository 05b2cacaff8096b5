"""What the rule searchable asks for."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from reranksmart.config.validation import validated
from reranksmart.plan import searchable
from reranksmart.values.settings import ConfigError

CONFIG = validated(yaml.safe_load((Path(__file__).parent.parent / "config.yaml").read_text()))


def wanted(system: str, test_set: str) -> SimpleNamespace:
    return SimpleNamespace(backbone="oscar", training_set="scenes", system=system, seed="1", test_set=test_set)


def test_an_index_needs_both_models_and_all_splits_of_its_gallery() -> None:
    found = searchable.searchable_inputs(CONFIG, wanted("sep_coop", "enlarged"))
    assert found["model"] == "results/models/oscar/scenes/bi_encoder/seed1/model"
    assert found["reranker"] == "results/models/oscar/scenes/cross_encoder/seed1/model"
    assert found["images"] == ["results/regions/scenes/test", "results/regions/scenes/distractors"]
    assert found["embeddings"] == [
        f"results/embeddings/oscar/scenes/bi_encoder/seed1/scenes/{split}" for split in ("test", "distractors")
    ]


@pytest.mark.parametrize("system", ["be", "ce"])
def test_a_system_of_one_stage_is_named_and_the_searchable_ones_listed(system: str) -> None:
    with pytest.raises(ConfigError, match=f"system '{system}' does not both retrieve and re-rank.*'joint_coop'"):
        searchable.searchable_inputs(CONFIG, wanted(system, "test"))
