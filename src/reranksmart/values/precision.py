"""The precisions a model can be run in, by name."""

from typing import Literal, get_args

Precision = Literal["auto", "float32", "bfloat16", "int8"]
PRECISIONS: tuple[Precision, ...] = tuple(name for name in get_args(Precision) if name != "auto")
