"""How many processor threads a verb uses."""

from __future__ import annotations

from typing import Annotated

import typer

Threads = Annotated[int, typer.Option(min=1, help="processor threads")]
