"""Ending groups whose deadline has passed."""

import time
from collections.abc import Callable, Iterable

import structlog
from darkroom_contracts.ids import task_id
from darkroom_contracts.messages import Message
from darkroom_records.groups import GroupStore, SendDated
from darkroom_runtime.sending import NOT_SENT

_log = structlog.get_logger(__name__)


def end_overdue(
    groups: GroupStore,
    stop: Callable[[Iterable[str]], object],
    send: Callable[[Message], object],
    send_all: SendDated,
) -> None:
    """Let expire what has not ended by the deadline of its group, and stop whoever works on it.

    Args:
        groups: the records.
        stop: stops the tasks of these ids.
        send: sends the messages that the end of a group calls for.
        send_all: sends the messages of images whose turn it is then.
    """
    for group_id in groups.past_deadline(time.time()):
        ended = groups.end_at_deadline(group_id)
        if ended is None:
            continue
        expired = len(ended.aborted) + ended.never_started
        _log.info("deadline_passed", group_id=group_id, finished=ended.finished, expired=expired)
        if ended.aborted:
            try:
                stop(task_id(group_id, index) for index in ended.aborted)
            except NOT_SENT as error:  # what has expired stays so
                _log.warning("expired_images_not_stopped", group_id=group_id, reason=str(error))
        ended.announce(send, send_all)
