"""A ``reranksmart`` whose verbs run in forks of one process that has imported everything.

Hundreds of small jobs then cost no hundreds of imports of torch; each still runs ``reranksmart.cli.main`` with its own
arguments, folder, output and exit status, in a process of its own, which can be killed.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLIENT = """#!{python} -ISE
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [json.dumps([os.getcwd(), sys.argv]).encode() + b"\\n"], [0, 1, 2])
sys.exit(int(server.makefile().read() or 137))
"""


@contextmanager
def forked_verbs(folder: Path, *, hash_seed: str = "random", also: str = "reranksmart") -> Iterator[Path]:
    """A new folder that holds the program ``reranksmart``, for the front of a PATH, while the process behind it runs.

    ``also`` is a module that it imports beside the verbs.

    The verbs hash with the seed of that process, whatever the environment in which they are called.
    """
    folder.mkdir()
    address = str(folder / "socket")
    program = folder / "reranksmart"
    program.write_text(_CLIENT.format(python=sys.executable, address=address))
    program.chmod(0o755)
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    with subprocess.Popen([sys.executable, __file__, address, also], stdout=subprocess.PIPE, env=environment) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        try:
            yield folder
        finally:
            server.terminate()


def fork_of(folder: Path, program: int) -> int | None:
    """The process that does the work of a running ``reranksmart`` of this folder; None where it has not begun."""
    path = folder / f"{program}.pid"
    fork = path.read_text() if path.exists() else ""
    command = Path(f"/proc/{fork}/cmdline")
    return int(fork) if fork and command.exists() and str(folder) in command.read_text() else None


def serve(address: str, also: str) -> None:
    """Forks for each request; the fork answers with its exit status and ends."""
    from reranksmart.cli import load
    from reranksmart.files.code.verbs import verbs

    importlib.import_module(also)
    load(*(set(verbs()) - {"detect-regions"}))  # which runs in an environment of its own
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # ended forks are not waited for
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen(64)
        print("ready", flush=True)
        while True:
            request, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(request, Path(address).parent)
            request.close()


def _answer(request: socket.socket, folder: Path) -> None:
    """Runs the verb that is asked for, as the process that asked, and never returns."""
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
        place, sys.argv = json.loads(message)
        os.chdir(place)
        status = _status_of_main()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        request.sendall(str(status).encode())
        os._exit(status)


def _status_of_main() -> int:
    from reranksmart.cli import main

    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    serve(*sys.argv[1:])
