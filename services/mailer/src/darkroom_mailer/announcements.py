"""Mailing the results of groups that asked for it, once each of them has ended."""

import structlog
from darkroom_records.groups import Group, GroupStore, UnknownGroupError
from darkroom_records.mail_limits import MailLimitError
from darkroom_records.notifications import Notifications
from darkroom_records.outbox import Outbox
from darkroom_records.outbox.post import notification_request, results_email, results_occasion
from darkroom_runtime import logs

_ASK_LATER = "They can be requested later: POST /send_images/{group_id}."

_log = structlog.get_logger(__name__)


class Announcements:
    """Puts the results of groups that wait for their email into the outbox."""

    def __init__(self, waiting: Notifications, groups: GroupStore, outbox: Outbox) -> None:
        self.waiting = waiting
        self._groups = groups
        self._outbox = outbox

    def submit(self, group_id: str) -> str | None:
        """Put the email with a group's results into the outbox; the second time it is the same email.

        Returns:
            The email's id, or None where there is nothing to mail: the group has expired, runs again, has no address,
            or its address was sent too many emails, which its status then says.
        """
        try:
            group = self._groups.read(group_id, images=False)
        except UnknownGroupError:
            self._groups.announced(group_id, finished_at=None)
            return None
        with logs.bind_request_id(group.request_id):
            email_id = self._submit(group)
        self._groups.announced(group_id, finished_at=group.finished_at)
        return email_id

    def _submit(self, group: Group) -> str | None:
        if not group.state.is_final or not group.email:
            _log.info("nothing_to_announce", group_id=group.group_id)
            return None
        request = notification_request(group.group_id, group.run)
        try:
            return self._outbox.submit(results_email(group), request=request, occasion=results_occasion(group))
        except MailLimitError as error:
            _log.warning("notification_withheld", group_id=group.group_id, reason=str(error))
            self._groups.note_email_error(group, f"The results were not emailed. {error} {_ASK_LATER}")
            return None
