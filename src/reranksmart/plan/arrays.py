"""What the jobs of an array ask for.

A cluster gives all jobs of an array what its first one asks for. So each asks for what the largest of its rule needs.
"""

from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from reranksmart.config.schema import Config
from reranksmart.plan.jobs import jobs_of
from reranksmart.plan.resources import gpus, memory_mb, runtime_minutes


@dataclass(frozen=True)
class Array:
    """The jobs of a rule, of which ``shards`` share the work of one: as many megabytes, minutes and GPUs for each."""

    config: Config
    rule: str
    shards: int = 1

    def memory_mb(self, wildcards: Any) -> int:
        return max(self._largest[0], self._asked(wildcards)[0])

    def runtime_minutes(self, wildcards: Any) -> int:
        return max(self._largest[1], self._asked(wildcards)[1])

    def gpus(self, wildcards: Any) -> int:
        return max(self._largest[2], self._asked(wildcards)[2])

    @cached_property
    def _largest(self) -> tuple[int, ...]:
        jobs = jobs_of(self.config, self.config.experiments.values())
        asked = [self._asked(SimpleNamespace(**dict(keys))) for rule, keys in jobs if rule == self.rule]
        return tuple(map(max, zip((0, 0, 0), *asked, strict=True)))

    def _asked(self, wildcards: Any) -> tuple[int, int, int]:
        return (
            memory_mb(self.config, self.rule, wildcards),
            runtime_minutes(self.config, self.rule, wildcards, shards=self.shards),
            gpus(self.config, self.rule, wildcards, shards=self.shards),
        )
