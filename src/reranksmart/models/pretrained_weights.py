"""Published weights of ``transformers``' backbones: from a hub or a folder, every tensor accounted for by name."""

from dataclasses import dataclass
from typing import Any

import torch
from transformers import PretrainedConfig as NetworkConfig

from reranksmart.files.hub import from_hub
from reranksmart.models.pretrained import Pretrained, PretrainedConfig, seeded, settings_of

_CONSTANTS = (".position_ids", ".token_type_ids")
"""Ends of names of counted numbers that older files hold beside the weights."""


@dataclass(frozen=True)
class Loaded:
    """A model of published weights, in evaluation mode, and the names of the tensors that they lack."""

    model: Pretrained
    drawn: tuple[str, ...]
    """Tensors of the family's fresh heads that were drawn from the seed, to be trained."""


def load_pretrained(
    wanted: type[Pretrained],
    source: str,
    *,
    pad_id: int,
    score: str = "log_odds",
    local_files_only: bool = False,
    seed: int = 0,
) -> Loaded:
    """A backbone of a family's class with the weights of ``source``, a folder or a name on the hub.

    ``pad_id`` is the tokeniser's. Raises FileNotFoundError where the weights cannot be had, and ValueError where they
    are of another family or hold other tensors than the family's, its heads aside (``fresh``, ``unused``).
    """
    with from_hub(source, local_files_only=local_files_only):
        settings = NetworkConfig.get_config_dict(source, local_files_only=local_files_only)[0]
    _require_family(wanted, settings, source=source)
    with from_hub(source, local_files_only=local_files_only), seeded(seed):
        read: Any = wanted.network_class.from_pretrained(
            source,
            dtype=torch.float32,
            local_files_only=local_files_only,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # so that they are named
        )
    network, found = read
    _require_tensors(wanted, found, source=source)
    _require_finite(network, source=source)
    config = PretrainedConfig(wanted.family(), settings_of(network.config), pad_id, score)
    return Loaded(wanted(config, network=network).eval(), drawn=tuple(sorted(found["missing_keys"])))


def _require_family(wanted: type[Pretrained], settings: dict[str, Any], *, source: str) -> None:
    expected, found = wanted.network_class.config_class.model_type, settings.get("model_type")  # type: ignore[union-attr]
    if not found:
        raise ValueError(
            f"config.json of {source} names no model_type, so it is not that of a model of transformers (it has "
            f"{', '.join(sorted(settings)[:5]) or 'no entry'}). Name the folder of a checkpoint that transformers saved."
        )
    if found != expected:
        raise ValueError(
            f"{source} holds a {found!r}, but family {wanted.family()!r} reads {expected!r}; choose the family of this "
            "checkpoint"
        )


def _require_finite(network: torch.nn.Module, *, source: str) -> None:
    wrong = [name for name, tensor in network.state_dict().items() if not torch.isfinite(tensor).all()]
    if wrong:
        raise ValueError(
            f"{source}: {len(wrong)} tensors hold NaN or infinity: {', '.join(wrong[:5])}. The training that wrote them "
            "diverged, or the file is damaged: take an earlier or another checkpoint."
        )


def _require_tensors(wanted: type[Pretrained], found: dict[str, Any], *, source: str) -> None:
    problems = {
        "missing": [key for key in found["missing_keys"] if not key.startswith(wanted.fresh)],
        "unexpected": [
            key for key in found["unexpected_keys"] if not (key.startswith(wanted.unused) or key.endswith(_CONSTANTS))
        ],
        "of another shape": [
            f"{key} {tuple(given)} instead of {tuple(own)}" for key, given, own in found["mismatched_keys"]
        ],
    }
    told = [f"{len(keys)} tensors {what}: {', '.join(sorted(keys)[:5])}" for what, keys in problems.items() if keys]
    if told:
        raise ValueError(
            f"{source} does not fit a {wanted.__name__}: {'; '.join(told)}. Check that it is the right checkpoint."
        )
