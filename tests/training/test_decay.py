"""An objective chooses the published code's rule of decay by name, or the right one."""

import pytest

from reranksmart.config.training import Objective
from reranksmart.families import single_stream
from reranksmart.models.single_stream_config import SingleStreamConfig
from reranksmart.training.assembly import weight_groups

SIZES = {"hidden_size": 8, "layers": 1, "heads": 2, "intermediate_size": 8, "feature_size": 4}


@pytest.mark.parametrize(("embedder", "decayed_norms"), [("oscar", 0), ("uniter", 2), ("m3p", 3)])
def test_layer_norms_decay_only_where_the_objective_names_the_reference(embedder, decayed_norms) -> None:
    """The published names ``img_layer_norm``, ``pos_layer_norm``, ``layer_norm_emb``, ``layer_norm1``, ... escape it."""
    model = single_stream(SingleStreamConfig(embedder=embedder, vocab_size=9, cls_id=1, sep_id=2, pad_id=0, **SIZES))
    found = {}
    for decay in ("matrices", "reference"):
        objective = Objective(cross_encoder={}, decay=decay)
        decayed = {id(p) for p in weight_groups(model, objective)[0]["params"]}
        found[decay] = [name for name, p in model.named_parameters() if id(p) in decayed and p.ndim == 1]
    assert found["matrices"] == []
    assert len(found["reference"]) == decayed_norms
    assert all("orm" in name and name.endswith("weight") for name in found["reference"])
