"""The mailer as it is run for real: a process that takes tasks from the queue."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from darkroom_contracts.queues import Queue

from support.live_consumer import live_consumer


@contextmanager
def live_mailer(
    redis_url: str, storage: Path, smtp_port: int, settings: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Run a mailer that hands its mail to a server on this port until the block ends."""
    server = {"DARKROOM_SMTP_PORT": str(smtp_port)}
    with live_consumer("mailer", Queue.MAIL, redis_url, storage, server | dict(settings or {})):
        yield
