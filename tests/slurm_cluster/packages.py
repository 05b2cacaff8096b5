"""Debian's packages of SLURM: which are needed, and how they come onto this machine."""

from __future__ import annotations

import os
import shutil
import subprocess

PATH = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"
_PROGRAMS = {
    "munge": ("munged", "munge"),
    "slurm-client": ("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo", "sacct", "sacctmgr"),
    "slurmctld": ("slurmctld",),
    "slurmd": ("slurmd",),
    "slurmdbd": ("slurmdbd",),
    "mariadb-server": ("mariadbd", "mariadb-install-db"),
    "mariadb-client": ("mariadb",),
}
_PACKAGES = (*_PROGRAMS, "slurm-wlm-mysql-plugin")
INSTALL = f"apt-get update && apt-get install --yes --no-install-recommends {' '.join(_PACKAGES)}"


def missing_programs(path: str = PATH) -> list[str]:
    """The programs of a cluster that are not on the path."""
    return [program for programs in _PROGRAMS.values() for program in programs if not shutil.which(program, path=path)]


def require_programs(path: str = PATH) -> None:
    """Installs what is missing where that is possible: as root, on Debian. Else RuntimeError says how to do it."""
    if not (missing := missing_programs(path)):
        return
    if os.getuid() == 0 and shutil.which("apt-get", path=path):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["sh", "-c", INSTALL], env=quiet, check=True, capture_output=True, timeout=600)
        missing = missing_programs(path)
    if missing:
        raise RuntimeError(f"SLURM is not installed here ({', '.join(missing)} missing). On Debian: {INSTALL}")
