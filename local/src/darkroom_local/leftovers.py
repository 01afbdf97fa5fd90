"""Programs that a system leaves behind when its supervisor was killed."""

from pathlib import Path

import redis

from darkroom_local.folder import Folder
from darkroom_local.ports import HOST
from darkroom_local.record import Record
from darkroom_local.redis_server import AT_ONCE


class LeftoverError(RuntimeError):
    """A program of an earlier run still uses the data folder."""


def refuse_second_redis(folder: Folder) -> None:
    """Make sure that no Redis of an earlier run still writes the file that a new one would write.

    Raises:
        LeftoverError: one does. The message says how to end it.
    """
    last = Record.read(folder)
    pid = last and _redis_at_work(last.ports.redis, folder.redis)
    if pid:
        raise LeftoverError(f"The Redis of an earlier run is still using {folder.redis}. Stop it first: kill {pid}")


def _redis_at_work(port: int, data_dir: Path) -> int | None:
    try:
        with redis.Redis(host=HOST, port=port, socket_timeout=1.0, retry=AT_ONCE, decode_responses=True) as client:
            works_here = Path(client.config_get("dir")["dir"]) == data_dir.resolve()
            return int(client.info("server")["process_id"]) if works_here else None
    except redis.RedisError:
        return None
