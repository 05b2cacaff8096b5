"""A real SLURM on this machine: one node on loopback, from Debian's packages, in a folder of its own.

Nothing outside the folder is written: SLURM_CONF names its configuration, munge has a key and a socket of its own, and
so has the database where accounting is wanted.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from slurm_cluster.packages import PATH, require_programs

_TEMPLATES = Path(__file__).parent
_WITHOUT_ACCOUNTING = "AccountingStorageType=accounting_storage/none"
_WITH_ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket"""
_DATABASE = """\
CREATE DATABASE slurm_acct_db;
CREATE USER slurm@localhost IDENTIFIED BY 'slurm';
GRANT ALL ON slurm_acct_db.* TO slurm@localhost;"""
_PATIENCE_S = 120


@dataclass
class Cluster:
    """A running cluster: partitions ``cpu`` and ``gpu``, ``urgent`` that preempts them, and one GPU that is none.

    With accounting there is the account ``lab``.
    """

    folder: Path
    cores: int
    memory_mb: int
    accounting: bool = False
    _daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _up: bool = False

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which SLURM's commands find this cluster."""
        return {
            **os.environ,
            "PATH": f"{self.folder}/bin:{PATH}",
            "SLURM_CONF": str(self.folder / "slurm.conf"),
        }

    def command(self, *words: str) -> str:
        """What a command of SLURM printed; raises CalledProcessError where it failed."""
        return subprocess.run(
            words, env=self.environment, check=True, capture_output=True, text=True, timeout=_PATIENCE_S
        ).stdout

    def jobs(self) -> dict[str, dict[str, str]]:
        """Every job that SLURM remembers, by id: its fields as ``scontrol show job`` names them."""
        found = {}
        for record in self.command("scontrol", "--all", "--oneliner", "show", "job").splitlines():
            fields = dict(re.findall(r"(\S+?)=(\S*)", record))
            if "JobId" in fields:
                found[fields["JobId"]] = fields
        return found

    def jobs_of(self, rule: str, *, folder: Path) -> list[dict[str, str]]:
        """The jobs that were submitted for a rule or group of the workflow in ``folder``, oldest first."""
        about = re.compile(rf"^(rule|group)_{re.escape(rule)}(_|$)")
        return [
            job
            for _, job in sorted(self.jobs().items(), key=lambda item: int(item[0]))
            if about.match(job.get("Comment", "")) and job["WorkDir"] == str(folder)
        ]

    def start(self) -> None:
        """Starts munge, the database, the controller and the node; RuntimeError where one does not come up."""
        for name in ("controller", "node", "bin"):
            (self.folder / name).mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(1024))
        (self.folder / "munge.key").chmod(0o400)
        (self.folder / "gpu0").symlink_to("/dev/null")
        (self.folder / "gres.conf").write_text(f"NodeName=node Name=gpu File={self.folder}/gpu0\n")
        # Snakemake's plugin hides every variable SLURM_* from srun, also the one that names the configuration.
        srun = self.folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        controller, node, database = _free_ports(3)
        with_accounting = _WITH_ACCOUNTING.format(port=database, folder=self.folder)
        self._write(
            "slurm.conf",
            host=socket.gethostname().split(".")[0],
            controller_port=controller,
            node_port=node,
            cores=self.cores,
            memory_mb=self.memory_mb,
            accounting=with_accounting if self.accounting else _WITHOUT_ACCOUNTING,
        )
        self._start_munge()
        if self.accounting:
            self._write("slurmdbd.conf", database_port=database)
            self._start_database()
        self._spawn("slurmctld", "-D")
        self._wait(lambda: "UP" in self.command("scontrol", "ping"), "slurmctld")
        self._spawn("slurmd", "-D", "-N", "node")
        self._wait(lambda: self.command("sinfo", "-h", "-o", "%T").split()[:1] == ["idle"], "slurmd")
        self._up = True

    def remember_jobs(self, seconds: int) -> None:
        """Lets the controller forget a job that has ended after so many seconds."""
        path = self.folder / "slurm.conf"
        path.write_text(re.sub(r"MinJobAge=\d+", f"MinJobAge={seconds}", path.read_text()))
        self.command("scontrol", "reconfigure")

    def cancel_jobs(self) -> None:
        """Cancels every job and waits until none is left."""
        self.command("scancel", f"--user={_user()}")
        self._wait(lambda: not self.command("squeue", "-h").strip(), "slurmctld")

    def stop(self) -> None:
        """Cancels all jobs and ends all daemons, each by its own process."""
        if self._up:
            self.cancel_jobs()
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def _start_munge(self) -> None:
        files = {name: f"{self.folder}/munge.{name}" for name in ("socket", "pid", "log", "seed")}
        options = [f"--{name}{'' if name == 'socket' else '-file'}={path}" for name, path in files.items()]
        self._spawn("munged", "--foreground", "--force", f"--key-file={self.folder}/munge.key", *options)
        self._wait(lambda: self._succeeds("munge", "-n", f"--socket={self.folder}/munge.socket"), "munged")

    def _start_database(self) -> None:
        """A MariaDB without a network, SLURM's daemon on it, and an account."""
        data, reached = f"--datadir={self.folder}/database", f"--socket={self.folder}/mariadb.socket"
        self.command("mariadb-install-db", "--no-defaults", f"--user={_user()}", data, "--skip-test-db")
        pid, memory = f"--pid-file={self.folder}/mariadb.pid", "--innodb-buffer-pool-size=64M"
        self._spawn("mariadbd", "--no-defaults", f"--user={_user()}", data, reached, pid, memory, "--skip-networking")
        client = ("mariadb", "--no-defaults", reached)
        self._wait(lambda: self._succeeds(*client, "--execute=SELECT 1"), "mariadbd")
        self.command(*client, f"--execute={_DATABASE}")
        self._spawn("slurmdbd", "-D", MYSQL_UNIX_PORT=f"{self.folder}/mariadb.socket")
        self._wait(lambda: self._succeeds("sacctmgr", "-n", "show", "cluster"), "slurmdbd")
        for added in (("cluster", "loopback"), ("account", "lab"), ("user", _user(), "account=lab")):
            self.command("sacctmgr", "--immediate", "add", *added)

    def _write(self, name: str, **values: object) -> None:
        text = (_TEMPLATES / name).read_text().format(folder=self.folder, user=_user(), **values)
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o600)  # slurmdbd reads no other

    def _spawn(self, program: str, *options: str, **variables: str) -> None:
        path = shutil.which(program, path=PATH)
        assert path is not None
        with (self.folder / f"{program}.out").open("wb") as out:
            self._daemons.append(
                subprocess.Popen(
                    [path, *options], env=self.environment | variables, stdout=out, stderr=out, cwd=self.folder
                )
            )

    def _succeeds(self, *words: str) -> bool:
        return subprocess.run(words, env=self.environment, capture_output=True, timeout=_PATIENCE_S).returncode == 0

    def _wait(self, ready: Callable[[], bool], program: str) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            try:
                if ready():
                    return
            except subprocess.CalledProcessError:
                pass
            time.sleep(0.3)
        said = "\n".join(path.read_text()[-2000:] for path in sorted(self.folder.glob(f"{program}*.[lo]*")))
        raise RuntimeError(f"{program} did not come up within {_PATIENCE_S} seconds; it said:\n{said}")


@contextmanager
def running_cluster(folder: Path, *, accounting: bool = False) -> Iterator[Cluster]:
    """A cluster of a node with four cores and 20 GB, for the time of the block; missing packages are installed."""
    require_programs()
    cluster = Cluster(folder, cores=4, memory_mb=20_000, accounting=accounting)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _user() -> str:
    return pwd.getpwuid(os.getuid()).pw_name
