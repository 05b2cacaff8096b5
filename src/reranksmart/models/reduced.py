"""A trained model in fewer bits: the trunk's products in bfloat16 or int8, the head and the mean in float32."""

import copy
from typing import Any

import torch
from torch import nn

from reranksmart.models.autocast import under_autocast
from reranksmart.models.int8 import with_int8_products
from reranksmart.models.pretrained import Pretrained
from reranksmart.models.single_stream import SingleStream
from reranksmart.values.precision import PRECISIONS, Precision

_WIDTH_WORTH_FEWER_BITS = 512


def in_precision(model: Any, precision: Precision) -> Any:
    """A model of the same weights, in evaluation mode, that computes in ``precision`` (see ``chosen_precision``).

    float32 gives the model itself. int8 quantises the trunk's weights once and its activations row by row. ValueError
    where the model cannot compute so on its device.
    """
    chosen = chosen_precision(model, precision)
    if chosen not in PRECISIONS:
        raise ValueError(f"precision {precision!r} is unknown; choose one of auto, {', '.join(PRECISIONS)}")
    if not can_compute(model, precision):
        raise ValueError(
            f"a {type(model).__name__} cannot be read in {chosen} here: int8 is for single-stream models on a CPU, bfloat16 for "
            "these and other models of transformers; a library's model computes in the type of its weights (library.dtype). "
            "Set its precision to float32 or auto."
        )
    if chosen == "float32":
        return model.eval()
    if isinstance(model, Pretrained):
        return under_autocast(model)
    return _bfloat16(model) if chosen == "bfloat16" else _int8(model)


def chosen_precision(model: nn.Module, precision: Precision) -> str:
    """``precision``, or what "auto" means for this model on its device (measured: ``benchmarks/README.md``).

    bfloat16 where the hardware multiplies such matrices (CPUs with AMX or AVX512-BF16, GPUs since Ampere) and the model is
    at least 512 wide; else float32. Small models spend their time elsewhere and stay exact.
    """
    if precision != "auto":
        return precision
    if not isinstance(model, SingleStream) or model.config.hidden_size < _WIDTH_WORTH_FEWER_BITS:
        return "float32"
    return "bfloat16" if is_native("bfloat16", model.device) else "float32"


def can_compute(model: nn.Module, precision: Precision) -> bool:
    """Whether ``in_precision`` has this model in this precision on its device."""
    chosen = chosen_precision(model, precision)
    if isinstance(model, Pretrained):
        return chosen != "int8"
    single_stream = isinstance(model, SingleStream)
    return chosen == "float32" or (single_stream and (chosen != "int8" or model.device.type == "cpu"))


def is_native(precision: Precision, device: torch.device) -> bool:
    """Whether the hardware multiplies numbers of this precision faster than float32, and does not emulate them."""
    if precision == "bfloat16" and device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if precision == "bfloat16":
        return device.type == "cpu" and (torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())
    return precision == "float32" or (precision == "int8" and device.type == "cpu" and torch.cpu._is_avx2_supported())


def _bfloat16(model: SingleStream) -> SingleStream:
    reduced = copy.deepcopy(model).eval()
    for part in (reduced.embedder, reduced.encoder):
        part.to(torch.bfloat16)
    return reduced


def _int8(model: SingleStream) -> SingleStream:
    reduced = copy.copy(model.eval())
    reduced._modules = dict(model._modules)
    reduced.encoder = with_int8_products(model.encoder)
    return reduced
