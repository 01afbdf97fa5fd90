"""Mailing the results of groups that asked for it, once each of them has ended."""

import time
from typing import cast

import structlog
from darkroom_contracts.keys import GROUPS_TO_ANNOUNCE
from darkroom_records.groups import GroupStore, UnknownGroupError
from darkroom_records.outbox import Outbox
from darkroom_records.outbox.post import results_mail, results_occasion
from darkroom_runtime import logs
from redis import Redis

_GRACE = 5.0
"""Seconds that the message sent at a group's end has, before the group is looked for."""

_log = structlog.get_logger(__name__)


class Announcements:
    """The groups that the group store has noted, in the very step that ended them, as waiting for their mail."""

    def __init__(self, redis: Redis, groups: GroupStore, outbox: Outbox) -> None:
        self._redis = redis
        self._groups = groups
        self._outbox = outbox

    def overdue(self, most: int) -> list[str]:
        """The ids of at most so many groups whose message was lost."""
        latest = time.time() - _GRACE
        found = self._redis.zrange(GROUPS_TO_ANNOUNCE, "-inf", latest, byscore=True, offset=0, num=most)
        return cast("list[str]", found)

    def submit(self, group_id: str) -> str | None:
        """Put the mail with a group's results into the outbox; the second time it is the same mail.

        Returns:
            The mail's id, or None where there is nothing to mail: the group has expired, runs again, or has no address.
        """
        mail_id = self._submit(group_id)
        self._redis.zrem(GROUPS_TO_ANNOUNCE, group_id)
        return mail_id

    def _submit(self, group_id: str) -> str | None:
        try:
            group = self._groups.read(group_id, images=False)
        except UnknownGroupError:
            return None
        with logs.request(group.request_id):
            if not group.state.is_final or not group.email:
                _log.info("nothing_to_announce", group_id=group_id)
                return None
            return self._outbox.submit(results_mail(group), occasion=results_occasion(group))
