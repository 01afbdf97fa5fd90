"""Emailing the results of groups that asked for it, once each of them has ended."""

from collections.abc import Callable

import structlog
from darkroom_records.groups import Group, GroupStore, UnknownGroupError
from darkroom_records.mail_limits import MailLimitError
from darkroom_records.outbox import Outbox, notification_request, submit_results
from darkroom_runtime import logs

_ASK_LATER = "They can be requested later: POST /send_images/{group_id}."

_log = structlog.get_logger(__name__)


def notify(group_id: str, *, groups: GroupStore, outbox: Outbox, deliver: Callable[[str, Group], object]) -> str | None:
    """Put the email with a group's results into the outbox and send it; the second time it is the same email.

    Args:
        group_id: the group that ended.
        groups: where its record is.
        outbox: takes the email.
        deliver: sends the email of this id, about this group.

    Returns:
        The email's id, or None where there is nothing to email: the group is gone, runs again, has no address, or
        its address was sent too many emails, which its status then says.
    """
    try:
        group = groups.read(group_id)
        with logs.bind_request_id(group.request_id):
            email_id = _submit(group, groups, outbox)
            groups.finish_notification(group_id, finished_at=group.finished_at)
    except UnknownGroupError:
        groups.finish_notification(group_id, finished_at=None)
        return None
    if email_id:
        deliver(email_id, group)
    return email_id


def _submit(group: Group, groups: GroupStore, outbox: Outbox) -> str | None:
    if not group.state.is_final or not group.email:
        _log.info("notification_skipped", group_id=group.group_id)
        return None
    try:
        return submit_results(outbox, group, notification_request(group.group_id, group.run))
    except MailLimitError as error:
        _log.warning("notification_withheld", group_id=group.group_id, reason=str(error))
        groups.note_email_error(group, f"The results were not emailed. {error} {_ASK_LATER}")
        return None
