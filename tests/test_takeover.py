"""What a Snakemake that starts does with the lock and the jobs of one that was killed (tests/workflow kills real ones)."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from reranksmart.run import takeover


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    """A folder in which a Snakemake of this machine and user was killed."""
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    (tmp_path / ".snakemake" / "locks" / "0.output.lock").write_text("results/tables\n")
    (tmp_path / ".snakemake" / "host").write_text(socket.gethostname())
    return tmp_path


def is_locked(folder: Path) -> bool:
    return any((folder / ".snakemake" / "locks").iterdir())


def test_a_lock_of_a_killed_run_is_removed(locked: Path) -> None:
    takeover.take_over(locked)
    assert not is_locked(locked)


def test_a_lock_of_another_machine_stays(locked: Path) -> None:
    (locked / ".snakemake" / "host").write_text("another-login-node")
    takeover.take_over(locked)
    assert is_locked(locked)


def test_a_lock_of_another_user_stays_whose_snakemake_may_run_unseen(
    locked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    takeover.take_over(locked)
    assert is_locked(locked)


def test_an_orphan_that_ends_with_another_is_no_fault(locked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.Popen(["true"])
    orphan = psutil.Process(ended.pid)
    ended.wait()
    monkeypatch.setattr(takeover, "_orphans", lambda folder: [orphan])
    takeover.take_over(locked)
    assert not is_locked(locked)
