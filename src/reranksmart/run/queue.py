"""What runs of a folder have in a cluster's queue, also those whose Snakemake is gone; nothing here ends any of it."""

import re
import shutil
import subprocess
from pathlib import Path

_FIELDS = "%i|%T|%k|%Z"  # number (12, 13_4, 14_[2-9]), state, comment, the folder of submission
_OF_A_RULE = re.compile(r"(rule|group)_")  # as Snakemake's plugin begins the comment of each job
_ANSWER_S = 60


def queue_as_text(folder: Path) -> str:
    """The user's jobs of rules that were submitted from ``folder``, and how to end them; empty where there are none."""
    if shutil.which("squeue") is None:
        return ""
    asked = ("squeue", "--me", "--noheader", f"--format={_FIELDS}")
    try:
        said = subprocess.run(asked, check=True, capture_output=True, text=True, timeout=_ANSWER_S).stdout
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failed:
        why = str(getattr(failed, "stderr", None) or "no answer").strip()
        return f"squeue failed ({why}): what is on the cluster is not known. Ask again when `squeue --me` answers."
    jobs = [line.split("|", 3) for line in said.splitlines() if line.count("|") >= 3]
    ours = [job for job in jobs if _OF_A_RULE.match(job[2]) and Path(job[3]).resolve() == folder.resolve()]
    if not ours:
        return ""
    lines = [
        f"  {state.lower()} {_OF_A_RULE.sub('', comment, count=1)}: job {number}" for number, state, comment, _ in ours
    ]
    return "\n".join(
        [
            "On the cluster, submitted from this folder:",
            *lines,
            "  If no Snakemake runs here any more, end them before the next: (a training saves its state first)",
            f"  scancel {' '.join(job[0] for job in ours)}",
        ]
    )
