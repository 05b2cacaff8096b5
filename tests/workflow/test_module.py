"""Another workflow imports the rules, with a configuration and a prefix of its own."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from running import ROOT, snakemake

HOST = """\
configfile: "host.yaml"


module reranksmart:
    snakefile:
        "{snakefile}"
    config:
        config
    prefix:
        "retrieval"


use rule * from reranksmart as reranksmart_*


rule all:
    default_target: True
    input:
        "retrieval/results/tables/claims.csv",
        "retrieval/results/tables/table3_latency.csv",
        "own.txt",


rule own:
    output:
        "own.txt",
    shell:
        "touch {{output}}"
"""


def test_a_host_workflow_plans_everything_below_its_prefix_and_its_folder_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(HOST.format(snakefile=ROOT / "workflow" / "Snakefile"))
    shutil.copy(ROOT / "workflow" / "configs" / "tiny.yaml", tmp_path / "host.yaml")
    done = snakemake(tmp_path, "--dry-run", "--printshellcmds", "--cores", "1")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^reranksmart_train +\d+$", done.stdout, re.MULTILINE)
    assert re.search(r"^own +1$", done.stdout, re.MULTILINE)
    commands = re.findall(r"^Shell command: (reranksmart .*)$", done.stdout, re.MULTILINE)
    assert len(commands) > 20
    assert not [line for line in commands if re.search(r"(?<![\w/.-])results/", line)]
    assert {path.name for path in tmp_path.iterdir()} == {"Snakefile", "host.yaml", ".snakemake"}
