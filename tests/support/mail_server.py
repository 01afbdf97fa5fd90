"""A real SMTP server that does what a test tells it to: takes mails, refuses them, or hangs up."""

import asyncio
import email
import email.policy
import ssl
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from email.message import EmailMessage
from types import TracebackType
from typing import Self, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from darkroom_local import ports

from support.free_ports import free_port

HANG_UP = "hang up"
"""Given as an answer, the server closes the connection instead of answering."""

_OK = "250 OK"


@dataclass(frozen=True, slots=True)
class Received:
    """A mail that the server took."""

    sender: str
    to: list[str]
    message: EmailMessage
    encrypted: bool


@dataclass
class MailServer:
    """A server on a free port of this machine.

    Args:
        refused: the answers to some recipients, each given in turn and the last one for ever.
        answers: to the next mails' texts, one each; after them every text is taken.
        taken: every mail that was taken, in order.
        attempts: how many mails' texts arrived.
        text_arrived: set when a mail's text has arrived, before it is answered.
        may_answer: where it is cleared, texts are not answered until it is set.
    """

    certificate: ssl.SSLContext | None = None
    encrypted_from_the_start: bool = False
    login: tuple[str, str] | None = None
    refused: dict[str, list[str]] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    taken: list[Received] = field(default_factory=list)
    attempts: int = 0
    text_arrived: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()
        self.port = free_port()
        self._controller: Controller | None = None

    def start(self) -> None:
        self._controller = self._new_controller()
        self._controller.start()

    def stop(self) -> None:
        """Close the port, if it is open. The server can be started again on it."""
        self.may_answer.set()
        if self._controller:
            self._controller.stop()
            self._controller = None

    def taken_for(self) -> dict[str, int]:
        """How many mails each recipient got."""
        counts: dict[str, int] = defaultdict(int)
        for mail in self.taken:
            for address in mail.to:
                counts[address] += 1
        return counts

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answers = self.refused.get(address, [_OK])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.attempts += 1
        self.text_arrived.set()
        await server.loop.run_in_executor(None, self.may_answer.wait)
        answer = self.answers.pop(0) if self.answers else _OK
        if answer == HANG_UP:
            cast("asyncio.Transport", server.transport).abort()
        elif answer == _OK:
            encrypted = self.encrypted_from_the_start or bool(session.ssl)
            self.taken.append(_received(envelope, encrypted))
        return answer

    def _new_controller(self) -> Controller:
        implicit = self.certificate if self.encrypted_from_the_start else None
        return Controller(
            self,
            hostname=ports.HOST,
            port=self.port,
            ssl_context=implicit,
            tls_context=None if implicit else self.certificate,
            require_starttls=bool(self.certificate and not implicit),
            auth_required=self.login is not None,
            auth_require_tls=self.certificate is not None and not implicit,
            authenticator=self._authenticate if self.login else None,
        )

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.login, handled=False)


def _received(envelope: Envelope, encrypted: bool) -> Received:
    content = cast("bytes", envelope.content)
    message = email.message_from_bytes(content, policy=email.policy.default)
    return Received(envelope.mail_from or "", list(envelope.rcpt_tos), message, encrypted)
