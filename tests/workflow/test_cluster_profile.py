"""The profile for a cluster, as far as it can be known without one (tests/slurm runs it on a real SLURM)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import yaml
from running import ROOT, TINY, snakemake

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
RULES = "\n".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
NAMES = set(re.findall(r"^(?:rule|use rule \w+ as) (\w+)(?::| with:)", RULES, re.MULTILINE))


def test_it_plans_the_whole_configuration_where_there_is_no_cluster(
    tmp_path: Path, copy_workflow: Callable[[Path], Path]
) -> None:
    folder = copy_workflow(tmp_path / "run")
    done = snakemake(folder, "--dry-run", "--workflow-profile", "profiles/slurm", "--configfile", TINY)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^measure_latency +1$", done.stdout, re.MULTILINE)
    (latency,) = re.findall(r"rule measure_latency:.*?resources: (.*?)$", done.stdout, re.DOTALL | re.MULTILINE)
    assert "slurm_extra=--exclusive" in latency


def test_every_rule_that_it_names_exists() -> None:
    arrays = PROFILE["slurm-array-jobs"].split(", ")
    named = {*PROFILE["set-resources"], *PROFILE["groups"], *arrays}
    assert len(NAMES) > 20
    assert named <= NAMES
    assert set(PROFILE["groups"].values()) == set(PROFILE["group-components"])


def test_what_takes_all_cores_to_be_timed_has_a_node_of_its_own() -> None:
    timed = re.findall(
        r"^rule (\w+):(?:(?!^rule ).)*?threads: lambda wildcards: workflow.resource_settings.cores",
        RULES,
        re.MULTILINE | re.DOTALL,
    )
    alone = {name for name, set_ in PROFILE["set-resources"].items() if "--exclusive" in set_.get("slurm_extra", "")}
    assert len(timed) > 2
    assert set(timed) <= alone <= NAMES


def test_no_rule_asks_for_more_memory_than_the_node_that_it_describes() -> None:
    asked = [int(each) for each in re.findall(r"mem_mb=(\d+)", RULES)]
    assert len(asked) > 20
    assert max(asked) <= PROFILE["resources"]["mem_mb"]


def test_partitions_accounts_and_the_scheduler_are_named_nowhere_else() -> None:
    others = [ROOT / "workflow/Snakefile", ROOT / "config.yaml", *(ROOT / "workflow").rglob("*.smk")]
    others += [*(ROOT / "workflow/configs").glob("*.yaml"), ROOT / "profiles/default/config.yaml"]
    assert len(others) > 8
    for path in others:
        assert not re.findall(r"slurm|partition|account|sbatch|\bqos\b", path.read_text(), re.IGNORECASE), path
