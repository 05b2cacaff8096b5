"""A machine without SLURM."""

from __future__ import annotations

from pathlib import Path

import pytest
from slurm_cluster.packages import INSTALL, require_programs


def test_a_machine_on_which_slurm_cannot_be_installed_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as refused:
        require_programs(path=str(tmp_path))
    assert "slurmctld" in str(refused.value)
    assert INSTALL in str(refused.value)
