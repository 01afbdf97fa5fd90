"""Handing an email to the mail server, and what the server's answers mean."""

import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from darkroom_contracts.mail import Address, Recipients
from darkroom_records.outbox import Refusal

from darkroom_mailer.settings import MailerSettings

_MAX_ANSWER = 300
"""Characters of a server's words that are kept."""


class UnreachableError(Exception):
    """No email could be offered: the server does not answer, does not let us in, or broke off. Try again later."""


class EmailRefusedError(Exception):
    """The server refused the email itself, whoever it is for."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


class _Connection(smtplib.SMTP):
    """Says when the email's text is about to be given to the server: after that it may have been sent."""

    before_text: Callable[[], None]

    def data(self, msg: bytes | str) -> tuple[int, bytes]:  # type: ignore[override]  # the stubs say it takes any buffer
        self.before_text()
        return super().data(msg)


class _TlsConnection(_Connection, smtplib.SMTP_SSL):
    """The same over TLS from the start."""


class MailServer:
    """The server that takes our email. Each email has a connection of its own."""

    def __init__(self, settings: MailerSettings) -> None:
        self._settings = settings
        self._name = f"{settings.smtp_host}:{settings.smtp_port}"

    def send(self, to: Recipients, text: bytes, *, before_text: Callable[[], None]) -> Mapping[Address, Refusal]:
        """Hand an email over.

        Args:
            to: the recipients.
            text: the whole message, headers included.
            before_text: called just before the text is given to the server; what it raises is passed on.

        Returns:
            The recipients that were refused, and why. The email goes to all others.

        Raises:
            EmailRefusedError: the email was refused, whoever it is for.
            UnreachableError: it could not be offered.
        """
        with self._explaining(), self._connection() as connection:
            connection.before_text = before_text
            try:
                return _refusals(connection.sendmail(self._settings.mail_from, to, text))
            except smtplib.SMTPRecipientsRefused as error:
                return _everyone(to, _refusals(error.recipients))
            except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
                raise EmailRefusedError(_refusal(error.smtp_code, error.smtp_error)) from None

    @contextmanager
    def _connection(self) -> Iterator[_Connection]:
        settings = self._settings
        context = ssl.create_default_context()
        if settings.smtp_security == "tls":
            connection: _Connection = _TlsConnection(
                settings.smtp_host, settings.smtp_port, timeout=settings.smtp_timeout, context=context
            )
        else:
            connection = _Connection(settings.smtp_host, settings.smtp_port, timeout=settings.smtp_timeout)
        try:
            if settings.smtp_security == "starttls":
                connection.starttls(context=context)
            if settings.smtp_user:
                password = settings.smtp_password.get_secret_value() if settings.smtp_password else ""
                connection.login(settings.smtp_user, password)
            yield connection
        finally:
            # Nothing that goes wrong from here on changes what became of the email, so nothing is waited for.
            with suppress(smtplib.SMTPException, OSError):
                connection.putcmd("quit")
            connection.close()

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPResponseException as error:
            answer = _refusal(error.smtp_code, error.smtp_error)
            raise UnreachableError(f"The mail server {self._name} let nobody in: {answer}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise UnreachableError(f"The mail server {self._name} did not answer as it should: {error}") from None


def _refusals(answers: Mapping[str, tuple[int, bytes]]) -> dict[Address, Refusal]:
    return {Address(address): _refusal(code, words) for address, (code, words) in answers.items()}


def _everyone(to: Recipients, refusals: dict[Address, Refusal]) -> dict[Address, Refusal]:
    """The refusals, also of those the server was not asked about because it hung up (reply 421)."""
    last = list(refusals.values())[-1]
    return {address: refusals.get(address, last) for address in to}


def _refusal(code: int, words: bytes | str) -> Refusal:
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return Refusal(code, line[:_MAX_ANSWER])
