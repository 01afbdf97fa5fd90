"""Asking for a mail: it is written down in the outbox, and a message says that it is there."""

import hashlib

import structlog
from celery import Celery
from darkroom_contracts.keys import celery_id
from darkroom_contracts.mail import Address, ConfirmationMail, Mail, ResultsMail, TextMail
from darkroom_contracts.queues import QUEUE_OF, Task
from kombu.exceptions import OperationalError

from darkroom_records.groups import Group
from darkroom_records.mail_limits import MailRequest
from darkroom_records.outbox.store import Occasion, Outbox
from darkroom_records.subscribers import confirmation_occasion

COOL_DOWN = 600
"""Seconds in which a second mail about the same is not sent."""

_log = structlog.get_logger(__name__)


class Post:
    """Takes mails in. Each call answers with the id of the mail that goes out, or raises a ``MailLimitError``.

    A mail that was taken in is sent also if its message is lost: the mailers look at what is due in the outbox.
    """

    def __init__(self, outbox: Outbox, celery: Celery) -> None:
        self._outbox = outbox
        self._celery = celery

    def text(self, to: Address, subject: str, body: str, request: MailRequest) -> str:
        """Mail a plain text.

        Raises:
            ValueError: the subject or the body cannot be sent; the message says why.
        """
        return self._send(Mail((to,), TextMail(subject=subject, body=body)), Task.SEND_MAIL, request)

    def results(self, group: Group, request: MailRequest) -> str:
        """Mail the results of a group that ended to its address, once for each time that it ended.

        Raises:
            ValueError: the group has no address.
        """
        return self._send(results_mail(group), Task.SEND_MAIL, request, results_occasion(group))

    def confirmation(self, address: Address, request: MailRequest) -> str:
        """Ask an address whether it wants the newsletter. Whether it has it already is for the mailer to find out."""
        occasion = Occasion(confirmation_occasion(address), COOL_DOWN)
        return self._send(Mail((address,), ConfirmationMail()), Task.CONFIRM_SUBSCRIPTION, request, occasion)

    def _send(self, mail: Mail, task: Task, request: MailRequest, occasion: Occasion | None = None) -> str:
        mail_id = self._outbox.submit(mail, request=request, occasion=occasion)
        try:
            send_message(self._celery, task, mail_id)
        except OperationalError as error:
            _log.warning("mail_message_not_sent", mail_id=mail_id, reason=str(error))
        return mail_id


def send_message(celery: Celery, task: Task, mail_id: str) -> None:
    """Tell the mailers that a mail is due.

    Raises:
        kombu.exceptions.OperationalError: Redis does not answer.
    """
    celery.send_task(task, args=(mail_id,), task_id=celery_id(mail_id), queue=QUEUE_OF[task], ignore_result=True)


def announce(celery: Celery, group_id: str) -> None:
    """Tell the mailers that a group has ended whose results are to be mailed.

    The group store has noted that already, in the step that ended the group: a message that is lost, or sent twice,
    changes nothing but the time of the mail.
    """
    try:
        celery.send_task(Task.SEND_RESULTS, args=(group_id,), queue=QUEUE_OF[Task.SEND_RESULTS], ignore_result=True)
    except OperationalError as error:
        _log.warning("announcement_not_sent", group_id=group_id, reason=str(error))


def results_mail(group: Group) -> Mail:
    """The mail that carries a group's results.

    Raises:
        ValueError: the group has no address.
    """
    if not group.email:
        raise ValueError("This group has no e-mail address to send its results to.")
    return Mail((Address(group.email),), ResultsMail(group_id=group.group_id))


def notification_request(group_id: str, run: int, client: str | None = None) -> MailRequest:
    """The request for the mail at the end of a group's run. It counts once: when the run begins, or else at its end."""
    return MailRequest(hashlib.sha256(f"{group_id}:{run}".encode()).hexdigest(), client)


def results_occasion(group: Group) -> Occasion:
    """The end of the group. A group that was tried again ends again, and may be mailed again."""
    return Occasion(f"results:{group.group_id}:{group.finished_at}", COOL_DOWN)
