"""A table of pandas in signatures: pandas takes long to import, and whoever reads a configuration needs none."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame as Frame
    from pandas import Series
else:
    Frame = Series = Any

__all__ = ["Frame", "Series"]
