"""Expected failures: one sentence that says what to do, exit status 2, no traceback."""

import errno
import socket

EXIT_STATUS = 2

_MENDABLE = {
    errno.EACCES: "make it accessible to this account",
    errno.EROFS: "put it where it can be written",
    errno.ENOSPC: "make room on the disk",
    errno.EADDRNOTAVAIL: "set WARMLINE_HOST to an address of this machine",
}


class Unusable(Exception):
    """Warmline cannot go on until somebody mends something outside it.

    The text is one sentence for the person at the terminal: what is wrong and what to do.
    """


def port_taken(host: str, port: int, setting: str = "WARMLINE_PORT") -> Unusable:
    """The failure of a server that cannot listen because somebody else does."""
    return Unusable(
        f"Port {port} on {host} is taken: stop the program that uses it, or choose another port "
        f"with {setting}."
    )


def sentence(failed: BaseException) -> str | None:
    """What to tell the person at the terminal; None when the failure is a fault of ours."""
    if isinstance(failed, Unusable):
        return str(failed)
    if not isinstance(failed, OSError):
        return None
    if isinstance(failed, socket.gaierror):
        return (
            f"The address to listen on cannot be found ({failed.strerror}): set WARMLINE_HOST or "
            "--host to an address of this machine."
        )
    if failed.errno == errno.EADDRINUSE:
        return (
            "The port is taken: stop the program that uses it, or choose another port "
            f"({failed.strerror})."
        )
    if failed.errno in _MENDABLE:
        place = f"{failed.filename} cannot be used" if failed.filename else "This cannot be done"
        return f"{place} ({failed.strerror}): {_MENDABLE[failed.errno]}."
    return None
