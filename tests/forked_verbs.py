"""``reranksmart`` and ``snakemake`` in forks of one process that has imported everything.

Hundreds of small jobs then cost no hundreds of imports of torch, and a plan none of Snakemake; each still runs the
program's own ``main`` with its own arguments, environment, folder, output and exit status, in a process of its own,
which can be killed.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from pathlib import Path

_CLIENT = """#!{python} -ISE
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
said = json.dumps([os.getcwd(), sys.argv, dict(os.environ)]).encode() + b"\\n"
server.sendall(said[socket.send_fds(server, [said], [0, 1, 2]):])
sys.exit(int(server.makefile().read() or 137))
"""


def forked_verbs(folder: Path, *, hash_seed: str = "random", also: str = "reranksmart") -> AbstractContextManager[Path]:
    """A new folder that holds the program ``reranksmart``, for the front of a PATH, while the process behind it runs.

    ``also`` is a module that it imports beside the verbs.

    The verbs hash with the seed of that process, whatever the environment in which they are called.
    """
    return _forked(folder, "reranksmart", hash_seed=hash_seed, also=also)


def forked_snakemake(folder: Path) -> AbstractContextManager[Path]:
    """A new folder that holds the program ``snakemake``, while the process behind it runs."""
    return _forked(folder, "snakemake")


@contextmanager
def _forked(folder: Path, name: str, *, hash_seed: str = "random", also: str = "reranksmart") -> Iterator[Path]:
    folder.mkdir()
    address = str(folder / "socket")
    program = folder / name
    program.write_text(_CLIENT.format(python=sys.executable, address=address))
    program.chmod(0o755)
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, __file__, address, name, also]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        try:
            yield folder
        finally:
            server.terminate()


def fork_of(folder: Path, program: int) -> int | None:
    """The process that does the work of a running program of this folder; None where it has not begun."""
    path = folder / f"{program}.pid"
    fork = path.read_text() if path.exists() else ""
    command = Path(f"/proc/{fork}/cmdline")
    return int(fork) if fork and command.exists() and str(folder) in command.read_text() else None


def serve(address: str, name: str, also: str) -> None:
    """Forks for each request; the fork answers with its exit status and ends."""
    importlib.import_module(also)
    (entry,) = entry_points(group="console_scripts", name=name)
    main = entry.load()
    {"reranksmart": _load_verbs, "snakemake": _load_plan}[name]()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended forks are not waited for
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("ready", flush=True)
        while True:
            request, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(request, Path(address).parent, main)
            request.close()


def _load_verbs() -> None:
    from reranksmart.cli import load
    from reranksmart.files.code.verbs import verbs

    load(*(set(verbs()) - {"detect-regions"}))  # which runs in an environment of its own
    for module in ("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg"):
        importlib.import_module(module)  # which only plotting does


def _load_plan() -> None:
    """Imports Snakemake with its plugins and what a Snakefile imports, and reads the code that rules are made by."""
    import snakemake.cli

    from reranksmart.files.code import code_digest
    from reranksmart.files.code.verbs import verbs

    snakemake.cli.get_argument_parser()
    for path in (Path(__file__).parent.parent / "src" / "reranksmart" / "plan").glob("*.py"):
        importlib.import_module(f"reranksmart.plan.{path.stem}")
    for verb in verbs():
        code_digest(verb)


def _answer(request: socket.socket, folder: Path, main: Callable[[], object]) -> None:
    """Runs the program as the process that asked, and never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        program, _, _ = struct.unpack("3i", request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        (folder / f"{program}.pid").write_text(str(os.getpid()))
        message, descriptors, _, _ = socket.recv_fds(request, 2**20, 3)
        while not message.endswith(b"\n"):
            message += request.recv(2**20)
        for place, descriptor in enumerate(descriptors):
            os.dup2(descriptor, place)
            os.close(descriptor)
        place, sys.argv, environment = json.loads(message)
        os.chdir(place)
        os.environ.clear()
        os.environ.update(environment)
        status = _status_of(main)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        request.sendall(str(status).encode())
        os._exit(status)


def _status_of(main: Callable[[], object]) -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    serve(*sys.argv[1:])
