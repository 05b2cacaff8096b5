"""The published evaluators' order of pairs, as a named option."""

import json
from pathlib import Path

import pytest
import torch
import yaml

from reranksmart.config.validation import validated
from reranksmart.models.match_logit import ranked_by
from reranksmart.models.reduced import in_precision
from reranksmart.plan import models, names
from reranksmart.values.batches import RegionBatch, TextBatch
from reranksmart.values.settings import ConfigError

DEFAULT = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())


def pairs(model, count: int = 24) -> tuple[TextBatch, RegionBatch]:
    draw = torch.Generator().manual_seed(9)
    tokens = torch.randint(5, model.config.vocab_size, (count, 6), generator=draw)
    features = torch.rand(count, 4, model.config.feature_size, generator=draw)
    boxes = torch.rand(count, 4, 2, 2, generator=draw).sort(dim=2).values.flatten(2)
    mask = torch.ones(count, 4, dtype=torch.bool)
    return TextBatch(tokens, torch.ones_like(tokens, dtype=torch.bool)), RegionBatch(features, boxes, mask)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_match_logit_ranks_pairs_as_the_published_evaluators_did(make_model, precision: str) -> None:
    model = in_precision(make_model(embedder="oscar"), precision)
    with torch.no_grad():
        model.head[-1].weight.normal_(generator=torch.Generator().manual_seed(2))
        logits = model.logits_pairs(*pairs(model))
        by_logit = ranked_by(model, "match_logit").score_pairs(*pairs(model))
        by_odds = ranked_by(model, "log_odds").score_pairs(*pairs(model))
    assert torch.equal(by_logit, logits[:, 1])
    assert torch.equal(by_odds, logits[:, 1] - logits[:, 0])
    assert by_logit.argsort().tolist() != by_odds.argsort().tolist()


def test_the_model_itself_keeps_its_head(make_model) -> None:
    model = make_model(embedder="oscar")
    before = model.head[-1].weight.clone()
    other = ranked_by(model, "match_logit")
    assert other.encoder is model.encoder
    assert torch.equal(model.head[-1].weight, before)
    assert ranked_by(model, "log_odds") is model
    with pytest.raises(ValueError, match="Linear cannot rank pairs by 'match_logit'"):
        ranked_by(torch.nn.Linear(2, 2), "match_logit")


def configured(score: str, fusions: list[dict[str, object]]) -> dict:
    oscar = {**DEFAULT["backbones"]["oscar"], "score": score}
    fusion = {**DEFAULT["experiments"]["fusion"], "fusions": fusions}
    return {
        **DEFAULT,
        "backbones": {**DEFAULT["backbones"], "oscar": oscar},
        "experiments": {**DEFAULT["experiments"], "fusion": fusion},
    }


def test_choosing_it_scores_pairs_anew_and_makes_nothing_else_again() -> None:
    before, after = (validated(configured(score, [{"method": "none"}])) for score in ("log_odds", "match_logit"))
    for settings in (names.reading_settings, models.pretraining_settings):
        assert settings(before, "oscar") == settings(after, "oscar")
    read, scored = (names.pair_settings(config, "oscar", "scenes.test") for config in (before, after))
    assert "score" not in json.loads(read)
    assert json.loads(scored) == {**json.loads(read), "score": "match_logit"}


def test_probabilities_are_not_made_of_a_match_logit() -> None:
    with pytest.raises(ConfigError, match=r"experiments.fusion.fusions: weighted_probability takes the probability"):
        validated(configured("match_logit", [{"method": "weighted_probability", "weight": 0.1}]))


def test_probabilities_are_not_made_of_a_logit_and_a_cosine_of_another_backbone_that_reranks() -> None:
    given = configured("log_odds", [{"method": "weighted_probability", "weight": 0.1}])
    given["backbones"]["judge"] = {"family": "blip", "checkpoint": "any", "score": "match_logit_plus_cosine"}
    joint_coop = DEFAULT["systems"]["joint_coop"]
    given["systems"] = {**DEFAULT["systems"], "apart": {**joint_coop, "reranker_backbone": "judge"}}
    given["experiments"]["fusion"] = {**given["experiments"]["fusion"], "systems": ["apart"]}
    with pytest.raises(ConfigError, match=r"match_logit_plus_cosine does not give. Set backbones.judge.score"):
        validated(given)
