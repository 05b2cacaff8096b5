"""What a verb says of files and captions that it left out."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from reranksmart.cli.terminal import printable
from reranksmart.files.picture_folders import SKIPPED_FILE, LeftOut

_NAMED = 10
_UNREMARKABLE = ("hidden", "no caption names it")  # counted, and named in the file alone


def report_left_out(left_out: Sequence[LeftOut], *, used: str, folder: Path | None = None) -> None:
    """Names the first ten on stderr, counts each kind, and says what is used; the whole list lies in ``folder``."""
    told = [one for one in left_out if one.kind not in _UNREMARKABLE]
    for one in told[:_NAMED]:
        print(printable(f"skipped {one.what}: {one.reason}"), file=sys.stderr)
    if not left_out:
        print(f"{used} used, none left out.", file=sys.stderr)
    else:
        kinds = "; ".join(f"{count:,} {kind}" for kind, count in Counter(one.kind for one in left_out).items())
        where = f" All stand in {folder / SKIPPED_FILE}." if folder else ""
        print(f"{used} used, {len(left_out):,} left out ({kinds}).{where}", file=sys.stderr)
