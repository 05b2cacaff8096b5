"""How a backbone of ``transformers`` is fine-tuned: which of its weights move, and what a step holds in memory."""

import copy
from collections.abc import Sequence

from torch import nn

from reranksmart.models.pretrained import Pretrained, seeded

_PROJECTIONS = frozenset({"query", "key", "value", "q_proj", "k_proj", "v_proj", "qkv"})
"""Last parts of the names of attention's input projections."""


def freeze_towers(model: Pretrained, towers: Sequence[str]) -> None:
    """Keeps the weights of these towers of ``model`` as they are; ValueError where it has no such tower."""
    known = model.towers
    if unknown := sorted(set(towers) - set(known)):
        raise ValueError(
            f"{model.config.family} has no tower {', '.join(map(repr, unknown))}; it has {sorted(known) or 'none'}. "
            "Freeze one of these, or none."
        )
    starts = tuple(start for tower in towers for start in known[tower])
    for name, parameter in model.network.named_parameters():
        if starts and name.startswith(starts):
            parameter.requires_grad_(False)


def add_adapters(model: Pretrained, *, rank: int, alpha: int, dropout: float = 0.0, seed: int = 0) -> None:
    """Adds LoRA (Hu et al. 2022) to each attention projection of ``model`` that is not frozen, by peft.

    After it only the adapters move, and of the heads those that were not frozen. An adapter's product starts at zero,
    so that no output changes, and is scaled by ``alpha / rank``. Torch's own attention holds its projections in one
    tensor and is left as it is: the vision tower of BridgeTower, and the pooling of SigLIP.
    """
    from peft import LoraConfig, inject_adapter_in_model  # takes seconds, which only this needs

    targets = [
        name
        for name, module in model.network.named_modules()
        if isinstance(module, nn.Linear) and name.split(".")[-1] in _PROJECTIONS and module.weight.requires_grad
    ]
    if not targets:
        raise ValueError(
            f"every attention projection of this {model.config.family} is frozen, so that none is left to adapt; "
            "freeze fewer towers, or train without adapters"
        )
    heads = [
        name for name, head in model.network.named_parameters() if name.startswith(model.heads) and head.requires_grad
    ]
    settings = LoraConfig(target_modules=targets, r=rank, lora_alpha=alpha, lora_dropout=dropout)
    with seeded(seed):
        inject_adapter_in_model(settings, model.network)
    for name in heads:
        model.network.get_parameter(name).requires_grad_(True)


def without_adapters(model: Pretrained) -> Pretrained:
    """The same function without adapters: a copy whose weights hold them, or ``model`` itself where it has none."""
    if not any(".lora_" in name for name, _ in model.named_parameters()):
        return model
    from peft.tuners.tuners_utils import BaseTunerLayer

    plain = copy.deepcopy(model)
    for name, layer in list(plain.named_modules()):
        if isinstance(layer, BaseTunerLayer):
            layer.merge()
            parent, _, child = name.rpartition(".")
            setattr(plain.get_submodule(parent), child, layer.get_base_layer())
    return plain


def checkpoint_activations(model: Pretrained) -> None:
    """Has ``model`` compute its layers' states again in the backward pass of a training step, instead of holding them.

    ValueError where ``transformers`` cannot do so for its network.
    """
    if not model.network.supports_gradient_checkpointing:
        raise ValueError(
            f"transformers cannot checkpoint the gradients of {model.config.family}; set gradient_checkpointing to "
            "false, and make the batches smaller if the memory does not suffice"
        )
    model.network.activation_checkpointing_enable({"use_reentrant": False})
    # beside adapters transformers also has embeddings require gradients, which only reentrant checkpoints need and
    # BLIP's text embeddings, changed in place, cannot take
    model.network.disable_input_require_grads()
