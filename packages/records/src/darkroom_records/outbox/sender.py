"""Requests for emails: each is written down in the outbox, and a message wakes a mailer."""

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


class EmailSender:
    """Sends emails by way of the outbox. Each call returns the id of the email, or raises a ``MailLimitError``.

    Args:
        outbox: takes the email.
        send: tells the mailers of it. If that fails it raises nothing: they look at what is due in the outbox.
    """

    def __init__(self, outbox: Outbox, send: Callable[[SendEmail], None]) -> None:
        self._outbox = outbox
        self._send = send

    def send_text(self, to: Address, subject: str, body: str, request: MailRequest) -> str:
        """Send a plain text.

        Raises:
            ValueError: the subject or the body cannot be sent; the message says why.
        """
        email = Email((to,), TextEmail(subject=subject, body=body))
        return self._sent(self._outbox.submit(email, request=request))

    def send_results(self, group: Group, request: MailRequest) -> str:
        """Send the results of a group that ended to its address, once for each time that it ended.

        Raises:
            ValueError: the group has no address.
        """
        return self._sent(submit_results(self._outbox, group, request))

    def send_confirmation(self, address: Address, request: MailRequest) -> str:
        """Ask an address whether it wants the newsletter. Whether it has it already is for the mailer to find out."""
        occasion = Occasion(confirmation_occasion(address), COOL_DOWN)
        return self._sent(
            self._outbox.submit(Email((address,), ConfirmationEmail()), request=request, occasion=occasion)
        )

    def _sent(self, email_id: str) -> str:
        self._send(SendEmail(email_id))
        return email_id


def submit_results(outbox: Outbox, group: Group, request: MailRequest) -> str:
    """Put the email with a group's results into the outbox, one for each time that the group ended.

    Raises:
        ValueError: the group has no address.
        MailLimitError: too many were asked for.
    """
    if not group.email:
        raise ValueError("This group has no email address to send its results to.")
    email = Email((group.email,), ResultsEmail(group_id=group.group_id))
    occasion = Occasion(f"results:{group.group_id}:{group.finished_at}", COOL_DOWN)
    return outbox.submit(email, request=request, occasion=occasion)


def notification_request(group_id: str, run: int, client: str | None = None) -> MailRequest:
    """The request for the email at the end of a group's run. It counts once: when the run begins, or at its end."""
    return MailRequest(hashlib.sha256(f"{group_id}:{run}".encode()).hexdigest(), client)
