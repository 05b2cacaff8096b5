"""What a verb says of pictures that it left out."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from reranksmart.cli.terminal import printable
from reranksmart.files.picture_folders import Broken


def report_broken(broken: Sequence[Broken], *, of: int) -> None:
    """Names each broken picture and their count on stderr."""
    for fault in broken:
        print(printable(f"skipped {fault.path}: {fault.reason}"), file=sys.stderr)
    if broken:
        print(f"{len(broken)} of {of} pictures are broken and were skipped.", file=sys.stderr)
