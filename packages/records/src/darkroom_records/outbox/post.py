"""Asking for an email: it is written down in the outbox, and a message says that it is there."""

import hashlib
from collections.abc import Callable

from darkroom_contracts.mail import Address, ConfirmationEmail, Email, ResultsEmail, TextEmail
from darkroom_contracts.messages import SendEmail

from darkroom_records.groups import Group
from darkroom_records.mail_limits import MailRequest
from darkroom_records.outbox.store import Occasion, Outbox
from darkroom_records.subscribers import confirmation_occasion

COOL_DOWN = 600
"""Seconds in which a second email about the same is not sent."""


class Post:
    """Takes emails in. Each call answers with the id of the email that goes out, or raises a ``MailLimitError``.

    Args:
        outbox: takes the email.
        send: tells the mailers of it. If that fails it raises nothing: they look at what is due in the outbox.
    """

    def __init__(self, outbox: Outbox, send: Callable[[SendEmail], None]) -> None:
        self._outbox = outbox
        self._send = send

    def text(self, to: Address, subject: str, body: str, request: MailRequest) -> str:
        """Email a plain text.

        Raises:
            ValueError: the subject or the body cannot be sent; the message says why.
        """
        return self._submit(Email((to,), TextEmail(subject=subject, body=body)), request)

    def results(self, group: Group, request: MailRequest) -> str:
        """Email the results of a group that ended to its address, once for each time that it ended.

        Raises:
            ValueError: the group has no address.
        """
        return self._submit(results_email(group), request, results_occasion(group))

    def confirmation(self, address: Address, request: MailRequest) -> str:
        """Ask an address whether it wants the newsletter. Whether it has it already is for the mailer to find out."""
        occasion = Occasion(confirmation_occasion(address), COOL_DOWN)
        return self._submit(Email((address,), ConfirmationEmail()), request, occasion)

    def _submit(self, mail: Email, request: MailRequest, occasion: Occasion | None = None) -> str:
        email_id = self._outbox.submit(mail, request=request, occasion=occasion)
        self._send(SendEmail(email_id))
        return email_id


def results_email(group: Group) -> Email:
    """The email that carries a group's results.

    Raises:
        ValueError: the group has no address.
    """
    if not group.email:
        raise ValueError("This group has no email address to send its results to.")
    return Email((Address(group.email),), ResultsEmail(group_id=group.group_id))


def notification_request(group_id: str, run: int, client: str | None = None) -> MailRequest:
    """The request for the email at the end of a group's run. It counts once: when the run begins, or at its end."""
    return MailRequest(hashlib.sha256(f"{group_id}:{run}".encode()).hexdigest(), client)


def results_occasion(group: Group) -> Occasion:
    """The end of the group. A group that was tried again ends again, and may be mailed again."""
    return Occasion(f"results:{group.group_id}:{group.finished_at}", COOL_DOWN)
