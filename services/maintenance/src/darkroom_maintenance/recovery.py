"""Finding work that was lost with a worker or with a message."""

import time

import structlog
from darkroom_contracts.messages import FetchImage, Message, ProcessImage
from darkroom_records.groups import GroupStore, SendDated
from darkroom_runtime import logs

_log = structlog.get_logger(__name__)


def recover(
    groups: GroupStore,
    publish: SendDated,
    *,
    waiting_since: float | None,
    fetch_waiting_since: float | None = None,
    grace: float,
    max_hold: float,
) -> None:
    """Send lost images to the queue again, and those whose turn it is where nobody has sent them.

    Args:
        groups: the records.
        publish: sends the messages.
        waiting_since: since when the oldest message waits in the queue of images; None if the queue is empty.
        fetch_waiting_since: the same of the queue of what must be fetched first.
        grace: seconds after which an image counts as lost that nobody began.
        max_hold: seconds after which even a living worker has certainly stopped working on an image.
    """
    oldest_waiting = time.time() if waiting_since is None else waiting_since
    oldest_fetch = time.time() if fetch_waiting_since is None else fetch_waiting_since
    for lost in groups.take_lost_images(
        oldest_waiting=oldest_waiting, oldest_fetch=oldest_fetch, grace=grace, max_hold=max_hold
    ):
        lost.turns.send(publish)
        if not lost.indices and not lost.to_fetch:
            continue
        with logs.bind_request_id(lost.request_id):
            _log.warning("images_recovered", group_id=lost.group_id, indices=lost.indices + lost.to_fetch)
            messages: list[Message] = [ProcessImage(lost.group_id, index) for index in lost.indices]
            messages += [FetchImage(lost.group_id, index) for index in lost.to_fetch]
            publish(messages, published_at=lost.published_at)
