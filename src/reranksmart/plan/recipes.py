"""Recipes: a digest, for each artefact, of everything that it is made from, taken from the rules themselves.

An artefact's recipe is its rule with the parameters that decide its content, the content of the user's own files, and
the recipes of its inputs. It does not depend on times, on places, or on what Snakemake remembers: each artefact's
provenance says by which recipe it was made, and one that was made by another is made again.
"""

import hashlib
import json
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from snakemake.io import ancient, flag, unpack
from snakemake.path_modifier import PATH_MODIFIER_FLAG

from reranksmart.config.schema import Config
from reranksmart.files.contents import ContentDigests, content_digest
from reranksmart.files.provenance import read_record
from reranksmart.plan.names import GATE
from reranksmart.plan.own_files import own_files
from reranksmart.plan.prefix import place_params
from reranksmart.values.settings import ConfigError

MEASURED = "measure_"
"""How the names of the rules begin whose results no recipe decides: times, which are others each time."""


class _Job(NamedTuple):
    rule: Any
    wildcards: dict[str, str]
    inputs: tuple[tuple[str, str], ...]  # role and path


class Recipes:
    """The recipes of a workflow's ``rules``; digests of the content of the user's files outlive it in ``memory``."""

    def __init__(self, rules: Iterable[Any], config: Config, memory: Path) -> None:
        self._rules = [rule for rule in rules if rule.output]
        self._own, self._contents = own_files(config), ContentDigests(memory)
        self._declared = {rule.name: tuple(rule.input._allitems()) for rule in self._rules}
        self._jobs: dict[str, _Job | None] = {}
        self._recipes: dict[str, tuple[str, frozenset[str]]] = {}
        self._stale: dict[str, bool] = {}

    def follow(self, workflow: Any) -> None:
        """Gives every rule its recipe as a parameter, and lets recipes decide what is made again, not times.

        Each job is looked at as Snakemake plans it, by a function that takes the place of its rule's inputs.
        """
        for rule in self._rules:
            place_params(rule)
            rule.set_params(recipe=self._options)
            rule._input = type(rule.input)()
            rule._input.append(unpack(partial(self._planned, rule, workflow)))

    def keep(self) -> None:
        """Lets the next process know what the user's files contain."""
        self._contents.keep()

    def of(self, path: str) -> str:
        """The recipe of what lies, or will lie, at a path."""
        return self._recipe(path)[0]

    def of_all(self, paths: Sequence[str]) -> str:
        """What the artefacts at ``paths`` must be, as JSON: by path its record, its recipe, and whether it is measured."""
        jobs = {path: job for path in paths if (job := self._job(path))}
        found = {path: [_record(job), self.of(path), self._measured(path)] for path, job in jobs.items()}
        return json.dumps(found, separators=(",", ":"))

    def _options(self, wildcards: Any, output: Any) -> str:
        """The options by which a verb learns of the recipe; ``output`` keeps Snakemake from comparing it, too."""
        job = self._job(output[0])
        assert job
        record = _record(job)
        place = "" if record.endswith("/provenance.json") else f" --record {shlex.quote(record)}"
        return f"--recipe {self.of(output[0])}{place}"

    def _planned(self, rule: Any, workflow: Any, wildcards: Any) -> dict[str, Any] | list[str]:
        """The inputs of a job, by role, or without roles.

        What was made by its recipe is newer than any input, waits at no gate and lacks no input that was deleted: of what
        follows a job that runs, Snakemake 9.27 plans what reads something that is not there or no older than its output.
        """
        made = dict(wildcards.items())
        path, *others = (str(of.apply_wildcards(made)) for of in rule.output)
        exists, stale = os.path.exists(path), workflow.is_main_process and self._is_stale(path, workflow.dag)
        if exists and stale:
            workflow.dag.forcefiles.add(path)
        fresh = exists and not stale and all(map(os.path.exists, others))
        found: dict[str, Any] = {}
        unnamed: list[str] = []
        for role, paths in self._roles(rule, made):
            read = [paths] if isinstance(paths, str) else paths
            if fresh and workflow.is_main_process:
                read = [of for of in read if role != GATE and os.path.exists(of)]
            marked = [_marked(of, fresh=fresh) for of in read]
            if role is None:
                unnamed += marked
            else:
                found[role] = marked[0] if marked and isinstance(paths, str) else marked
        return unnamed or found

    def _is_stale(self, path: str, dag: Any) -> bool:
        """Whether what lies at a path was made by another recipe, or from what is made anew: as asked, or measured."""
        if path not in self._stale:
            job = self._job(path)
            self._stale[path] = job is not None and (
                job.rule in dag.forcerules
                or path in dag.forcefiles
                or (self._differs(path, job) if os.path.exists(path) else job.rule.name.startswith(MEASURED))
                or any(self._is_stale(of, dag) for _, of in job.inputs)
            )
        return self._stale[path]

    def _differs(self, path: str, job: _Job) -> bool:
        made = read_record(_record(job))
        recipe, lacking = self._recipe(path)
        if made.get("recipe") != recipe:
            if lacking:
                gone = min(lacking)
                raise ConfigError(
                    f"{self._own[gone]}: {gone!r} is not there, but {path} is, made from something else. Name what is "
                    "there; nothing was removed."
                )
            return True
        return any(content_digest(of) != digest for of, digest in made.get("read", {}).items())

    def _measured(self, path: str) -> bool:
        """Whether an artefact is made of times that were measured, which no recipe decides."""
        job = self._job(path)
        return job is not None and (
            job.rule.name.startswith(MEASURED) or any(self._measured(of) for _, of in job.inputs)
        )

    def _roles(self, rule: Any, wildcards: dict[str, str]) -> Iterator[tuple[str | None, Any]]:
        """The inputs of a job as its rule declares them: by role, or by None, one path or a list of paths."""
        for name, item in self._declared[rule.name]:
            found = _value(rule, item, wildcards)
            roles = found if isinstance(found, Mapping) else {name: found}
            place = rule.input_modifier.modify  # where another workflow imports these rules under a prefix
            for role, of in roles.items():
                yield role, str(place(of)) if isinstance(of, str) else [str(place(path)) for path in of]

    def _job(self, path: str) -> _Job | None:
        """The job that makes what lies at a path; None for the user's own files."""
        if path not in self._jobs:
            found = ((rule, match) for rule in self._rules for of in rule.output if (match := of.match(path)))
            rule, match = next(found, (None, None))
            made = match.groupdict() if match else {}
            self._jobs[path] = rule and _Job(rule, made, tuple(self._read(rule, made)))
        return self._jobs[path]

    def _read(self, rule: Any, wildcards: dict[str, str]) -> Iterator[tuple[str, str]]:
        for role, paths in self._roles(rule, wildcards):
            if role != GATE:
                yield from ((role or "", path) for path in ([paths] if isinstance(paths, str) else paths))

    def _recipe(self, path: str) -> tuple[str, frozenset[str]]:
        """The recipe, and those of the user's files that it counts and that are not there."""
        if path not in self._recipes:
            self._recipes[path] = self._own_file(path) if self._job(path) is None else self._of_job(self._jobs[path])
        return self._recipes[path]

    def _of_job(self, job: Any) -> tuple[str, frozenset[str]]:
        lacking: set[str] = set()

        def counted(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: counted(item) for key, item in value.items()}
            if isinstance(value, list | tuple):
                return [counted(item) for item in value]
            if isinstance(value, str) and value in self._own:
                digest, gone = self._own_file(value)
                lacking.update(gone)
                return digest
            return value

        made_from = []
        for role, path in job.inputs:
            recipe, gone = self._recipe(path)
            lacking |= gone
            made_from.append((role, recipe))
        parts = [job.rule.name, job.wildcards, counted(dict(_params(job))), made_from]
        return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16], frozenset(
            lacking
        )

    def _own_file(self, path: str) -> tuple[str, frozenset[str]]:
        digest = self._contents.digest(path)
        gone = digest is None and self._own.get(path)
        return digest or f"nothing at {path}", frozenset([path] if gone else [])


def _marked(path: str, *, fresh: bool) -> str:
    """An input that Snakemake takes as it is, and as older than an output that is ``fresh``."""
    placed = flag(path, PATH_MODIFIER_FLAG)
    return ancient(placed) if fresh else placed


def _record(job: _Job) -> str:
    """Where the provenance of what a job makes lies: in its folder, or beside its first file."""
    outputs = [(str(of.apply_wildcards(job.wildcards)), "directory" in of.flags) for of in job.rule.output]
    files = [path for path, is_folder in outputs if not is_folder]
    return f"{Path(files[0]).with_suffix('')}.provenance.json" if files else f"{outputs[0][0]}/provenance.json"


def _params(job: _Job) -> Iterator[tuple[str, Any]]:
    """The parameters of a job that decide what it makes: not those that follow from its inputs or resources."""
    for name, item in job.rule.params._allitems():
        if not job.rule._is_deriving_function(item):
            yield name, _parsed(_value(job.rule, item, job.wildcards))


def _value(rule: Any, item: Any, wildcards: dict[str, str]) -> Any:
    if item.is_callable() if hasattr(item, "is_callable") else callable(item):
        return rule.apply_input_function(item, wildcards)[0]
    return item.apply_wildcards(wildcards) if hasattr(item, "apply_wildcards") else item


def _parsed(value: Any) -> Any:
    """A parameter's values, each by itself: of JSON, or of a text of options."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        return shlex.split(value)
    except ValueError:
        return value
