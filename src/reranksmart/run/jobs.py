"""What a run was asked for: Snakemake's jobs, noted in the results folder when the run starts."""

import socket
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reranksmart.files.storage import read_json, write_json

PLAN = "plan.json"
FAILURES = "failures.json"


def title_of(rule: str, name: str) -> str:
    """A job's rule and name, once where the rule has one job."""
    return rule if name == rule else f"{rule} {name}"


@dataclass(frozen=True)
class Job:
    """A job of the run: its rule, and the paths of what it reads, makes and logs.

    What it makes is ``temporary`` if Snakemake removes it as soon as nothing needs it any more. ``host`` is the machine
    on which it runs, None where a cluster chooses. ``seconds`` are what it is expected to take on its ``threads``.
    """

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    log: str | None
    temporary: bool = False
    host: str | None = None
    seconds: float = 0.0
    threads: int = 1
    priority: int = 0

    @classmethod
    def of(cls, job: Any) -> "Job":
        """Of a job of Snakemake."""
        logs = [str(path) for path in job.log]
        return cls(
            rule=job.rule.name,
            inputs=tuple(map(str, job.input)),
            outputs=tuple(map(str, job.output)),
            log=logs[0] if logs else None,
            temporary=set(job.output) <= set(job.temp_output),
            host=socket.gethostname() if job.is_local else None,
        )

    @property
    def name(self) -> str:
        """What tells the job from others of its rule: its log's name."""
        return Path(self.log or self.outputs[0]).stem

    @property
    def title(self) -> str:
        return title_of(self.rule, self.name)


def note_plan(jobs: Iterable[Any], *, results: Path = Path("results")) -> None:
    """Writes the jobs of a run that starts, and forgets what failed before."""
    planned = sorted((Job.of(job) for job in jobs if job.output), key=lambda job: (job.rule, job.outputs))
    write_json(results / PLAN, [asdict(job) for job in planned])
    (results / FAILURES).unlink(missing_ok=True)


def read_plan(results: Path) -> list[Job]:
    """The jobs of the latest run; ValueError where none was started here."""
    path = results / PLAN
    if not path.exists():
        raise ValueError(
            f"{path} is missing: no run was started here. Give the results folder of a run (--results),"
            " or start one: snakemake --cores"
        )
    return [
        Job(**{**each, "inputs": tuple(each["inputs"]), "outputs": tuple(each["outputs"])}) for each in read_json(path)
    ]
