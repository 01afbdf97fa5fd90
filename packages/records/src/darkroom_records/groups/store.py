"""The group store on Redis: every step is one atomic script, and doing a step twice is the same as doing it once.

Its parts are modules of their own: reading, intake, attempts, deletion. What is asked of a whole group is here.
"""

import time
from typing import cast

from darkroom_contracts.mail import Address
from darkroom_contracts.states import ImageState
from darkroom_runtime.workers import is_any_alive
from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.groups.attempts import GroupAttempts
from darkroom_records.groups.backlog import NO_LIMITS, Backlog, BacklogFullError, BacklogLimits
from darkroom_records.groups.deletion import GroupDeletion
from darkroom_records.groups.intake import GroupIntake
from darkroom_records.groups.lua import GroupScript
from darkroom_records.groups.reading import UnknownGroupError
from darkroom_records.groups.records import Cancelled, Ending, Group, PendingImages
from darkroom_records.groups.turns import Turns

_NOTIFICATION_GRACE = 5.0
"""Seconds that the message sent at a group's end has, before the group is looked for."""


class GroupEndedError(RuntimeError):
    """The group has ended, so there is nothing left to cancel."""


class GroupRunningError(RuntimeError):
    """The group has not ended yet."""


class GroupStore(GroupIntake, GroupAttempts, GroupDeletion):
    """Reads and changes the records of groups. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._finish_notification = GroupScript(redis, "finish_notification")
        self._cancel = GroupScript(redis, "cancel")
        self._retry = GroupScript(redis, "retry")
        self._set_email = GroupScript(redis, "set_email")
        self._note_email_error = GroupScript(redis, "note_email_error")

    def check(self) -> None:
        """Write something that soon expires.

        Raises:
            redis.exceptions.RedisError: Redis does not answer, or takes nothing in.
        """
        self._redis.set(keys.READINESS, "", ex=60)

    def cancel(self, group_id: str) -> Cancelled:
        """Cancel what has not ended. Nothing of it can be ended any more, whoever still works on it.

        Raises:
            UnknownGroupError: there is none of this id.
            GroupEndedError: it has ended; nothing was changed.
        """
        cancelled = self._cut_off(group_id, ImageState.CANCELLED)
        if cancelled is None:
            self.read(group_id, images=False)
            raise GroupEndedError(f"The group {group_id} has ended.")
        return cancelled

    def past_deadline(self, now: float) -> list[str]:
        """The ids of the groups whose deadline has passed at this Unix time and that had not ended by it."""
        return cast("list[str]", self._redis.zrange(keys.GROUP_DEADLINES, "-inf", now, byscore=True))

    def end_at_deadline(self, group_id: str) -> Cancelled | None:
        """Let whatever has not ended by the group's deadline expire. None if there was nothing of the kind."""
        return self._cut_off(group_id, ImageState.EXPIRED)

    def has_live_workers(self, group_id: str) -> bool:
        """Whether a worker that lives may still be busy with a cancelled image of the group."""
        attempts = cast("dict[str, str]", self._redis.hgetall(keys.group_attempts(group_id)))
        workers = {attempt.rpartition("|")[2] for attempt in attempts.values()} - {""}
        return is_any_alive(self._redis, workers)

    def retry(self, group_id: str, limits: BacklogLimits = NO_LIMITS) -> PendingImages:
        """Let the failed images of an ended group wait again. Those to be fetched must then be sent to their queue, and
        the images whose turn it is now to theirs.

        Those that were refused when they were taken in stay as they are.

        Raises:
            UnknownGroupError: there is none of this id.
            GroupRunningError: it has not ended; nothing was changed.
            BacklogFullError: more images would wait than may; nothing was changed.
        """
        again = self._retry(group_id, limits.total, limits.per_owner)
        if again is None:
            self.read(group_id, images=False)
            raise GroupRunningError(f"The group {group_id} has not ended yet.")
        if again == 0:
            raise BacklogFullError("Too many images are waiting.")
        published_at, indices, to_fetch, due = again
        return PendingImages(
            group_id,
            tuple(sorted(indices)),
            float(published_at),
            to_fetch=tuple(sorted(to_fetch)),
            turns=Turns.read(due),
        )

    def backlog(self, owner: str | None = None) -> Backlog:
        """How many images wait, in all and of this owner."""
        return Backlog.read(self._redis, owner)

    def overdue_notifications(self, limit: int) -> list[str]:
        """The ids of ended groups whose results are still to be emailed and whose message was lost, at most so many."""
        latest = time.time() - _NOTIFICATION_GRACE
        found = self._redis.zrange(keys.GROUPS_TO_NOTIFY, "-inf", latest, byscore=True, offset=0, num=limit)
        return cast("list[str]", found)

    def finish_notification(self, group_id: str, *, finished_at: float | None) -> bool:
        """Note that nothing is left to email about this end of a group. False if it has ended anew since."""
        return bool(self._finish_notification(group_id, repr(finished_at) if finished_at else ""))

    def set_email(self, group_id: str, email: Address) -> bool:
        """Give a group the address that its results are mailed to. False if it has another one, which stays.

        Raises:
            UnknownGroupError: there is none of this id.
        """
        known = self._set_email(group_id, email)
        if known is None:
            raise UnknownGroupError(f"There is no group {group_id}.")
        return bool(known)

    def note_email_error(self, group: Group, reason: str) -> bool:
        """Note why the group's results were not mailed at its end. False if it was run again since."""
        return bool(self._note_email_error(group.group_id, repr(group.finished_at), reason))

    def _cut_off(self, group_id: str, state: ImageState) -> Cancelled | None:
        ended = self._cancel(group_id, state)
        if ended is None:
            return None
        finished, never_started, aborted, ending, due = ended
        return Cancelled(
            group_id,
            int(finished),
            int(never_started),
            tuple(sorted(aborted)),
            Ending(ending),
            Turns.read(due),
        )
