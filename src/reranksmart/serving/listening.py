"""The address at which the page is served."""

import errno
import socket


def listening(host: str, port: int) -> socket.socket:
    """A socket on which nothing is answered yet; ValueError where there can be none."""
    try:
        if host in ("", "0.0.0.0") or ":" in host:  # requests name one host, and only that one is answered
            raise ValueError("it names no single IPv4 address")
        return socket.create_server((host, port))
    except (OSError, OverflowError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise ValueError(
                f"port {port} of {host!r} is in use by another program, maybe another `reranksmart serve`. End it, or "
                "choose another --port (0: any that is free)."
            ) from error
        raise ValueError(
            f"nothing can listen on {host!r}, port {port} ({error}). An address or name of this machine is needed, by which "
            "others call it, and a free port. Choose another --host or --port."
        ) from error
