"""The precisions a model can be run in, by name."""

from typing import Literal

Precision = Literal["auto", "float32", "bfloat16", "int8"]
