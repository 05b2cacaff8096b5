"""Kill every rule's job, and Snakemake, at random moments: after each, the same command gives the undisturbed bytes.

``INTERRUPTIONS`` is the number of rounds, in each of which every job is killed ``KILLS_IN_A_ROW`` times;
``INTERRUPTION_SEED`` draws the moments, ``INTERRUPTION_CORES`` are Snakemake's. What was killed how often is written to results/tests/interruption.{md,json}.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import interruptions
import pytest
from running import ROOT, snakemake

from reranksmart.run.jobs import Job

pytestmark = pytest.mark.workflow

ROUNDS = range(int(os.environ.get("INTERRUPTIONS", "1")))
NOT_IN_THE_DEFAULT = {
    *("download", "unpack", "import_regions", "convert_backbone", "adopt_backbone"),
    *("extract_pixels", "store_states", "judge_extended", "evaluate_extended"),
    *("encode_shard", "score_candidates_shard", "score_all_shard", "train_index", "fill_index", "merge_index"),
    *("merge_embeddings", "merge_pair_scores", "merge_exhaustive"),
}
"""Rules of published data sets and checkpoints, and of work shared out over jobs: the default runs without them."""
IN_A_ROW = int(os.environ.get("KILLS_IN_A_ROW", "1"))


class Trials:
    """A folder for each group of jobs, in which they are cut short again and again, and the count of what was."""

    def __init__(self, undisturbed: Path, verbs: Path) -> None:
        self._undisturbed, self._verbs = undisturbed, verbs
        self.groups = interruptions.groups(interruptions.planned(undisturbed))
        self._counts: Counter[str] = Counter()

    def prepared(self, number: int) -> Path:
        """The folder of a group, in which all is made but the outputs of its jobs."""
        folder = self._folder(number)
        if not folder.exists():
            shutil.copytree(self._undisturbed, folder, symlinks=True)
        for path in (folder / output for job in self.groups[number] for output in job.outputs):
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return folder

    def _folder(self, number: int) -> Path:
        return self._undisturbed.with_name(f"group{number}")

    def command(self, number: int) -> list[str]:
        return interruptions.command([job.outputs[0] for job in self.groups[number]], "--notemp")

    def partial(self, number: int, jobs: Sequence[Job] = ()) -> list[str]:
        """The partial outputs of those jobs of a group, or of all."""
        return interruptions.partial(self._folder(number), self._undisturbed, jobs or self.groups[number])

    def kill_jobs(self, number: int, draw: random.Random) -> Counter[Job]:
        """Kills each job of a group ``IN_A_ROW`` times in its work; how often it was. No kill may leave a partial file.

        A job that ends before its moment is begun anew, and its moments are shares of how long it took then.
        """
        killed, partly = Counter[Job](), list[str]()
        shares = {job: [draw.random() for _ in range(IN_A_ROW)] for job in self.groups[number]}
        for _ in range(2 * IN_A_ROW):
            folder = self.prepared(number)
            killed += interruptions.kill_jobs(
                interruptions.start(folder, [*self.command(number), "--retries", str(IN_A_ROW - 1)], verbs=self._verbs),
                {job: self._moments(folder, job, each[killed[job] :]) for job, each in shares.items()},
                lambda job: partly.extend(self.partial(number, [job])),
                verbs=self._verbs,
            )
            assert not [*partly, *self.partial(number)], "partial files under final names"
            if killed.total() == IN_A_ROW * len(shares):
                break
        return killed

    def _moments(self, folder: Path, job: Job, shares: Sequence[float]) -> list[float]:
        return [share * interruptions.seconds(folder, job) for share in shares]

    def end_snakemake(self, number: int, share: float, end: Callable[[subprocess.Popen[bytes]], None]) -> bool:
        """Ends the Snakemake that makes a group's jobs after a share of the time that it takes; whether it was.

        One that is done before its moment is begun anew, and its moment is a share of how long it took then.
        """
        jobs = self.groups[number]
        seconds = 4 + sum(3 + interruptions.seconds(self._undisturbed, job) for job in jobs)
        for _ in range(3):
            began = time.monotonic()
            process = interruptions.start(self.prepared(number), self.command(number))
            try:
                process.wait(timeout=share * seconds)
            except subprocess.TimeoutExpired:
                end(process)
                return True
            seconds = time.monotonic() - began
        return False

    def require_same(self, number: int) -> None:
        """Gives the same command again, after which all must be as if nothing had happened."""
        folder = self._folder(number)
        try:
            interruptions.unlock(folder)
            interruptions.finish(folder, self.command(number), verbs=self._verbs)
            assert not [path for job in self.groups[number] for path in job.outputs if not (folder / path).exists()]
            assert not self.partial(number)
            assert not interruptions.leftovers(folder)
        except BaseException:
            folder.rename(f"{folder}.failed.{time.time():.0f}")  # to look at; the next trial begins with a copy
            raise

    def count(self, what: str, kills: int) -> None:
        self._counts[what] += kills
        lines = ["| | killed |", "|---|---|", *(f"| {name} | {n} |" for name, n in sorted(self._counts.items()))]
        folder = ROOT / "results" / "tests"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "interruption.md").write_text("\n".join(lines) + "\n")
        (folder / "interruption.json").write_text(json.dumps(self._counts, indent=1) + "\n")


@pytest.fixture(scope="module")
def trials(undisturbed: Path, verbs: Path) -> Trials:
    return Trials(undisturbed, verbs)


def test_every_rule_is_in_the_tiny_run_or_known_not_to_be_in_the_default(
    copy_workflow: Callable[[Path], Path], tmp_path: Path
) -> None:
    done = snakemake(copy_workflow(tmp_path / "run"), "-n", *interruptions.command(interruptions.EVERYTHING)[1:])
    rules = interruptions.rules_of_the_workflow(ROOT)
    planned = {rule for rule in rules if re.search(rf"^(local)?rule {rule}:$", done.stdout, re.MULTILINE)}
    assert rules - planned == NOT_IN_THE_DEFAULT


@pytest.mark.parametrize("number", ROUNDS)
def test_killing_a_job_of_every_rule_changes_no_result(number: int, trials: Trials) -> None:
    """Each job is killed, begun again by Snakemake or by the same command, and killed again; at last it may end."""
    for place, group in enumerate(trials.groups):
        killed = trials.kill_jobs(place, interruptions.moment("job", number, place))
        trials.require_same(place)
        for job in group:
            trials.count(interruptions.kind(job), killed[job])


@pytest.mark.slow
@pytest.mark.parametrize("number", ROUNDS)
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "SIGTERM"])
@pytest.mark.parametrize("end", [interruptions.end_alone, interruptions.end_all], ids=["snakemake", "all"])
def test_ending_snakemake_changes_no_result(
    sent: signal.Signals,
    end: Callable[[subprocess.Popen[bytes], signal.Signals], None],
    number: int,
    trials: Trials,
) -> None:
    """Alone, with which its jobs end, or with all its jobs at once, as by a power cut."""
    for place in range(len(trials.groups)):
        share = interruptions.moment(sent, end.__name__, number, place).random()
        ended = trials.end_snakemake(place, share, lambda process: end(process, sent))
        assert not trials.partial(place)
        trials.require_same(place)
        trials.count(f"{sent.name} to {end.__name__.removeprefix('end_')}", int(ended))


@pytest.mark.slow
@pytest.mark.parametrize("number", ROUNDS)
def test_a_run_that_is_killed_again_and_again_comes_to_the_same_end(
    number: int, fresh: Path, undisturbed: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(fresh, tmp_path / "run")
    command = interruptions.command(interruptions.ONE_MEASURE)
    moment = interruptions.moment("run", number)
    for end in (interruptions.end_alone, interruptions.end_all, interruptions.end_alone):
        process = interruptions.start(folder, command)
        time.sleep(moment.uniform(5, 60))
        if process.poll() is None:
            end(process, signal.SIGKILL)
        interruptions.unlock(folder)
    interruptions.require_same(folder, undisturbed, command)


@pytest.mark.slow
def test_a_second_snakemake_is_turned_away_and_changes_nothing(fresh: Path, undisturbed: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(fresh, tmp_path / "run")
    command = interruptions.command(interruptions.ONE_MEASURE)
    first = interruptions.start(folder, command)
    while not list((folder / ".snakemake" / "locks").glob("*")) and first.poll() is None:
        time.sleep(0.05)
    second = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=interruptions.LIMIT_S)
    assert second.returncode != 0
    assert "lock" in (second.stdout + second.stderr).lower()
    assert first.wait(timeout=interruptions.LIMIT_S) == 0
    interruptions.require_same(folder, undisturbed, command)
