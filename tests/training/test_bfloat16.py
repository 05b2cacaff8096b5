import numpy as np
from toy import model, training_data

from reranksmart.config.training import Objective
from reranksmart.training.assembly import assemble
from reranksmart.training.loop import train
from reranksmart.training.state import StateFile

DATA, DEV = training_data(24), training_data(12, seed=7)


def losses(tmp_path, **settings):
    objective = Objective.model_validate(
        {
            "bi_encoder": {"loss": "infonce", "batch_size": 8},
            "cross_encoder": {"batch_size": 8},
            "steps": 40,
            "learning_rate": 1e-3,
            "evaluate_every": 40,
            **settings,
        }
    )
    net = model(seed=3, dropout=0.0)
    training, schedule = assemble(net, objective, DATA, {"bi_encoder": DEV, "cross_encoder": DEV}, seed=1)
    history = train(training, schedule, StateFile(tmp_path / "state.pt", str(settings)), what="test")
    assert all(str(weights.dtype) == "torch.float32" for weights in net.parameters())
    return np.array([row["loss"] for row in history if "loss" in row])


def test_bfloat16_and_the_fused_optimiser_learn_by_the_same_loss_curve(tmp_path):
    exact = losses(tmp_path / "a")
    fused = losses(tmp_path / "b", optimiser="fused_adamw")
    reduced = losses(tmp_path / "c", optimiser="fused_adamw", precision="bfloat16")
    assert exact[-2] < exact[0] - 0.1
    np.testing.assert_allclose(fused, exact, atol=1e-3)
    assert 0 < np.abs(reduced - exact).max() < 0.1
