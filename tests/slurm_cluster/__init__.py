"""A real SLURM on this machine: one node on loopback, from Debian's packages, in a folder of its own.

Nothing outside the folder is written: SLURM_CONF names its configuration, munge has a key and a socket of its own.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("munge", "slurm-client", "slurmctld", "slurmd")
_PROGRAMS = ("munged", "munge", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "sinfo")
INSTALL = f"apt-get update && apt-get install --no-install-recommends {' '.join(PACKAGES)}"
_PATH = f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin"
_CONFIGURATION = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
MinJobAge=86400
KillWait=10
OverTimeLimit=0
SlurmdTimeout=60
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=1,sched_interval=2,bf_interval=2,requeue_setup_env_fail
StateSaveLocation={folder}/controller
SlurmdSpoolDir={folder}/node
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
GresTypes=gpu
NodeName=node NodeHostname={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory_mb} Gres=gpu:1 State=UNKNOWN
PartitionName=cpu Nodes=node Default=YES MaxTime=1-00:00:00 DefaultTime=00:30:00 State=UP
PartitionName=gpu Nodes=node MaxTime=1-00:00:00 DefaultTime=00:30:00 State=UP
"""


@dataclass
class Cluster:
    """A running cluster with partitions ``cpu`` and ``gpu`` and one GPU that is none."""

    folder: Path
    cores: int
    memory_mb: int
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which SLURM's commands find this cluster."""
        return {
            **os.environ,
            "PATH": f"{self.folder}/bin:{_PATH}",
            "SLURM_CONF": str(self.folder / "slurm.conf"),
        }

    def command(self, *words: str) -> str:
        """What a command of SLURM printed; raises CalledProcessError where it failed."""
        return subprocess.run(
            words, env=self.environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout

    def jobs(self) -> dict[str, dict[str, str]]:
        """Every job that SLURM remembers, by id: its fields as ``scontrol show job`` names them."""
        found = {}
        for record in self.command("scontrol", "--all", "--oneliner", "show", "job").splitlines():
            fields = dict(re.findall(r"(\S+?)=(\S*)", record))
            if "JobId" in fields:
                found[fields["JobId"]] = fields
        return found

    def jobs_of(self, rule: str) -> list[dict[str, str]]:
        """The jobs that the plugin submitted for a rule or group, oldest first."""
        about = re.compile(rf"^(rule|group)_{re.escape(rule)}(_wildcards_|$)")
        return [job for _, job in sorted(self.jobs().items()) if about.match(job.get("Comment", ""))]

    def start(self) -> None:
        """Starts munge, the controller and the node; raises RuntimeError where one does not come up."""
        ports = _free_ports(2)
        host = socket.gethostname().split(".")[0]
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        device = self.folder / "gpu0"
        device.symlink_to("/dev/null")
        (self.folder / "gres.conf").write_text(f"NodeName=node Name=gpu File={device}\n")
        (self.folder / "slurm.conf").write_text(
            _CONFIGURATION.format(
                folder=self.folder,
                host=host,
                user=_user(),
                controller_port=ports[0],
                node_port=ports[1],
                cores=self.cores,
                memory_mb=self.memory_mb,
            )
        )
        for name in ("controller", "node", "bin"):
            (self.folder / name).mkdir()
        # Snakemake's plugin hides every variable SLURM_* from srun, also the one that names the configuration.
        srun = self.folder / "bin" / "srun"
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        files = {name: f"{self.folder}/munge.{name}" for name in ("socket", "pid", "log", "seed")}
        munge = [f"--{name}{'' if name == 'socket' else '-file'}={path}" for name, path in files.items()]
        self._spawn("munged", "--foreground", "--force", f"--key-file={key}", *munge)
        self._wait(lambda: self._succeeds("munge", "-n", f"--socket={self.folder}/munge.socket"), "munged")
        self._spawn("slurmctld", "-D")
        self._wait(lambda: "UP" in self.command("scontrol", "ping"), "slurmctld")
        self._spawn("slurmd", "-D", "-N", "node")
        self._wait(lambda: self.command("sinfo", "-h", "-o", "%T").split()[:1] == ["idle"], "slurmd")

    def cancel_jobs(self) -> None:
        """Cancels every job and waits until none is left."""
        subprocess.run(["scancel", f"--user={_user()}"], env=self.environment, timeout=60, capture_output=True)
        deadline = time.monotonic() + 60
        while self._succeeds("squeue", "-h") and self.command("squeue", "-h").strip() and time.monotonic() < deadline:
            time.sleep(0.5)

    def stop(self) -> None:
        """Cancels all jobs and ends all daemons, each by its own process."""
        self.cancel_jobs()
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def _spawn(self, program: str, *options: str) -> None:
        with (self.folder / f"{program}.out").open("wb") as out:
            path = shutil.which(program, path=_PATH)
            assert path is not None
            self.daemons.append(
                subprocess.Popen([path, *options], env=self.environment, stdout=out, stderr=out, cwd=self.folder)
            )

    def _succeeds(self, *words: str) -> bool:
        return subprocess.run(words, env=self.environment, capture_output=True, timeout=60).returncode == 0

    def _wait(self, ready: Callable[[], bool], program: str) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if ready():
                    return
            except subprocess.CalledProcessError:
                pass
            time.sleep(0.3)
        said = "\n".join(path.read_text()[-2000:] for path in sorted(self.folder.glob(f"{program}*.[lo]*")))
        raise RuntimeError(f"{program} did not come up within 60 seconds; it said:\n{said}")


@contextmanager
def running_cluster(folder: Path, *, cores: int, memory_mb: int) -> Iterator[Cluster]:
    """A cluster for the time of the block; raises RuntimeError with the command to install what is missing."""
    missing = [program for program in _PROGRAMS if shutil.which(program, path=_PATH) is None]
    if missing:
        raise RuntimeError(f"SLURM is not installed here ({', '.join(missing)} missing). On Debian: {INSTALL}")
    cluster = Cluster(folder, cores, memory_mb)
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
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name
