"""How long a run still takes: its remaining jobs laid out over the cores, at the speed that the finished ones showed."""

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from reranksmart.run.jobs import Job

_LEFT = re.compile(r"([\d:]+) left\s*$")
_TAIL_BYTES = 400
_MEMORY = 0.7  # of what was seen before, beside the job that has just ended: other work on the machine comes and goes
_STRAGGLER = 0.25  # of what a job has taken, where it takes longer than was expected


class Timing:
    """The times of a run's jobs. ``jobs``: those to be done, with the seconds that each is expected to take."""

    def __init__(self, jobs: Sequence[Job], cores: int) -> None:
        self._jobs, self._cores = list(jobs), cores
        self._expected: defaultdict[str, float] = defaultdict(float)
        self._taken: defaultdict[str, float] = defaultdict(float)
        maker = {output: job for job in jobs for output in job.outputs}
        self._needs = {job: {maker[path] for path in job.inputs if path in maker} for job in jobs}

    def took(self, job: Job, seconds: float) -> None:
        """Notes how long a job has taken, or will have."""
        self._expected[job.rule] = _MEMORY * self._expected[job.rule] + job.seconds
        self._taken[job.rule] = _MEMORY * self._taken[job.rule] + seconds

    def seconds_left(self, elapsed: Mapping[Job, float], done: set[Job], failed: Iterable[Job] = ()) -> float:
        """Until all is done but what failed and what needs it. ``elapsed``: the seconds that each running job has run."""
        said = {job: seconds + left for job, seconds in elapsed.items() if (left := _said(job)) is not None}
        seen = self._seen({job: max(seconds, said.get(job, 0.0)) for job, seconds in elapsed.items()})
        remaining = {job: self._speed(job.rule, *seen) * job.seconds for job in self._jobs if job not in done}
        for job in self._lost(failed):
            remaining.pop(job, None)
        for job, seconds in elapsed.items():
            whole = max(remaining.get(job, 0.0), said.get(job, 0.0))
            remaining[job] = max(whole - seconds, _STRAGGLER * seconds)
        return self._makespan(remaining, list(elapsed))

    def _lost(self, failed: Iterable[Job]) -> set[Job]:
        lost = set(failed)
        while lost and (more := {job for job, needs in self._needs.items() if job not in lost and needs & lost}):
            lost |= more
        return lost

    def _seen(self, running: Mapping[Job, float]) -> tuple[dict[str, float], dict[str, float]]:
        """By rule the seconds that were expected and taken; of running jobs where they are longer than expected."""
        expected, taken = dict(self._expected), dict(self._taken)
        for job, seconds in running.items():
            if seconds > job.seconds * self._speed(job.rule, self._expected, self._taken):
                expected[job.rule] = expected.get(job.rule, 0.0) + job.seconds
                taken[job.rule] = taken.get(job.rule, 0.0) + seconds
        return expected, taken

    def _speed(self, rule: str, expected: Mapping[str, float], taken: Mapping[str, float]) -> float:
        """How many times longer than expected jobs of a rule take: as those seen of it did, else as all did."""
        overall = sum(taken.values()) / sum(expected.values()) if expected else 1.0
        return taken[rule] / expected[rule] if expected.get(rule) else overall

    def _makespan(self, remaining: Mapping[Job, float], running: Sequence[Job]) -> float:
        """The end of the last job where each begins as soon as its inputs and its cores are there, by priority."""
        waiting = {job: len(self._needs[job] & remaining.keys()) for job in remaining if job not in running}
        needed_by: defaultdict[Job, list[Job]] = defaultdict(list)
        for job in waiting:
            for need in self._needs[job] & remaining.keys():
                needed_by[need].append(job)
        order = {job: place for place, job in enumerate(remaining)}
        ready = [(-job.priority, order[job], job) for job, count in waiting.items() if not count]
        heapq.heapify(ready)
        ends = [(remaining[job], order[job], job) for job in running]
        heapq.heapify(ends)
        free, now = self._cores - sum(min(job.threads, self._cores) for job in running), 0.0
        while ready or ends:
            later: list[tuple[int, int, Job]] = []
            while ready:
                entry = heapq.heappop(ready)
                threads = min(entry[2].threads, self._cores)
                if threads <= free or not (ends or later):
                    free -= threads
                    heapq.heappush(ends, (now + remaining[entry[2]], entry[1], entry[2]))
                else:
                    later.append(entry)
            ready = later
            now, _, ended = heapq.heappop(ends)
            free += min(ended.threads, self._cores)
            for job in needed_by[ended]:
                waiting[job] -= 1
                if not waiting[job]:
                    heapq.heappush(ready, (-job.priority, order[job], job))
        return now


def _said(job: Job) -> float | None:
    """The seconds that the last line of a job's log gives for its present step; None where it gives none."""
    try:
        with open(job.log or "", "rb") as log:
            log.seek(max(0, log.seek(0, 2) - _TAIL_BYTES))
            found = _LEFT.search(log.read().decode("utf-8", "replace"))
    except OSError:
        return None
    seconds = 0.0
    for part in found[1].split(":") if found else ():
        seconds = 60 * seconds + float(part or 0)
    return seconds if found else None
