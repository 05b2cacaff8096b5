"""The findings on a run as a page of text."""

from collections import Counter
from collections.abc import Iterable, Sequence

from tqdm import tqdm

from reranksmart.run.findings import Finding
from reranksmart.run.observation import Observation

_NOUNS = {"train": "models", "index": "indexes", "tabulate": "tables"}
_IN_FULL = tuple(_NOUNS)
_MARKS = {"there": "+", "running": ">", "failed": "!", "stopped": "!", "ready": ".", "waiting": "."}


def findings_as_text(findings: Sequence[Finding]) -> str:
    """First what runs and what failed, then every model, index and table, then how many jobs of each rule are done."""
    lines: list[str] = []
    for title, states in (("Running", {"running"}), ("Failed or stopped", {"failed", "stopped"})):
        chosen = [found for found in findings if found.state in states]
        if chosen:
            lines += [f"{title}:", *(line for found in chosen for line in _of_job(found, full=True)), ""]
    for rule in _IN_FULL:
        chosen = [found for found in findings if found.job.rule == rule]
        if chosen:
            lines += [f"{_count(chosen)} {_NOUNS[rule]}:"]
            lines += [line for found in chosen for line in _of_job(found, full=False)] + [""]
    done = Counter(found.job.rule for found in findings if found.state == "there")
    total = Counter(found.job.rule for found in findings)
    counts = ", ".join(f"{rule} {done[rule]}/{total[rule]}" for rule in sorted(total))
    return "\n".join([*lines, f"All jobs: {_count(findings)} done ({counts})"])


def _count(findings: Iterable[Finding]) -> str:
    states = [found.state for found in findings]
    return f"{states.count('there'):,} of {len(states):,}"


def _of_job(found: Finding, *, full: bool) -> list[str]:
    name = found.job.title if full else found.job.name
    said = "not started" if found.state == "ready" else str(found.state)
    if found.training:
        said += f", {_progress(found.training)}"
    if found.why and (full or found.state == "waiting"):
        said += f": {found.why}" if found.state != "running" else f", {found.why}"
    lines = [f"  {_MARKS[found.state]} {name}: {said}"]
    if full and found.state in ("failed", "stopped"):
        lines += [f"      log: {found.job.log}", *(f"      | {line}" for line in found.last_lines)]
    return lines


def _progress(seen: Observation) -> str:
    """``step 120 of 440, loss bi_encoder 0.81, dev recall 61.2, 3.1 steps/s, 01:43 left``."""
    losses = " ".join(f"{task} {loss:.3f}" for task, loss in seen.loss.items())
    recall = f"{seen.dev_mean_recall:.1f}" if seen.dev_mean_recall is not None else "not measured yet"
    left = tqdm.format_interval(seen.seconds_left)
    return (
        f"step {seen.step:,} of {seen.steps:,}, loss {losses}, dev recall {recall},"
        f" {seen.steps_per_second:.1f} steps/s, {left} left"
    )
