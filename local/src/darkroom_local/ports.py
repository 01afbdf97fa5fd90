"""Free ports on this machine's own address."""

import random
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

HOST = "127.0.0.1"
"""The only address anything listens on here: nothing of a local system is for the network."""

# Below the ports that Linux (32768) and macOS (49152) give to outgoing connections, so that nobody is given one
# between its choice and its use.
UNPRIVILEGED = range(10_000, 32_000)
_NEIGHBOURS = 100


class NoFreePortError(OSError):
    """Every port that was tried is taken."""


def is_free(port: int) -> bool:
    """Return whether a server can listen on this port now."""
    with socket.socket() as probe:
        # As servers do it: a port whose last connections are still being wound up counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def near(preferred: int) -> int:
    """The preferred port, or else the first free one of the hundred above it.

    Raises:
        NoFreePortError: there is none.
    """
    return _first_free(range(preferred, preferred + _NEIGHBOURS))


def anywhere(among: Sequence[int] = UNPRIVILEGED) -> int:
    """A free port that nobody is likely to expect something on.

    Args:
        among: the ports to choose from.

    Raises:
        NoFreePortError: there is none.
    """
    return _first_free(random.sample(among, min(_NEIGHBOURS, len(among))))


def _first_free(ports: Iterable[int]) -> int:
    tried = list(ports)
    for port in tried:
        if is_free(port):
            return port
    raise NoFreePortError(f"No port is free on {HOST}; {len(tried)} from {min(tried)} to {max(tried)} were tried.")


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one local system."""

    api: int
    flower: int
    redis: int
    smtp: int
    control: int

    @classmethod
    def default(cls, api: int | None = None, flower: int | None = None) -> Self:
        """The usual ports, or ones close by where they are taken. A given port is not departed from.

        Raises:
            NoFreePortError: a given port, or every one near the usual ones, is taken.
        """
        for port, setting in ((api, "DARKROOM_PORT"), (flower, "DARKROOM_FLOWER_PORT")):
            if port and not is_free(port):
                raise NoFreePortError(
                    f"Port {port} is in use by another program. Choose another one with {setting}, in .env or as "
                    f"`{setting}={port + 1} make up`, or leave it out to be given a free one."
                )
        return cls(
            api=api or near(8000),
            flower=flower or near(5555),
            redis=near(6379),
            smtp=near(1025),
            control=anywhere(),
        )
