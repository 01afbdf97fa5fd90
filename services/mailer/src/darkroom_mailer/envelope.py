"""An email as it goes over the wire: its headers, its parts, its bytes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime

from darkroom_contracts.mail import Address
from darkroom_records.outbox import Claim

from darkroom_mailer.settings import MailerSettings

_LONG_URLS = frozenset({"list-unsubscribe"})


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with an email."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ComposedEmail:
    """What one email says."""

    subject: str
    text: str
    html: str | None = None
    attachment: Attachment | None = None
    headers: dict[str, str] = field(default_factory=dict)


class _Policy(EmailPolicy):
    """The format of mail, but for URLs in headers: one longer than a line would be folded as encoded words."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _LONG_URLS:
            return f"{name}: {value}\r\n".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep="\r\n", max_line_length=SMTP.max_line_length, utf8=False)


def build_message(letter: ComposedEmail, claim: Claim, settings: MailerSettings) -> bytes:
    """The whole message, the same at each attempt. Its Message-ID follows from the email's id."""
    sender = Address(settings.mail_from)
    message = EmailMessage(_POLICY)
    message["From"] = HeaderAddress(settings.mail_from_name, addr_spec=sender)
    message["To"] = [HeaderAddress(addr_spec=address) for address in claim.to]
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(claim.created_at, UTC))
    message["Message-ID"] = f"<{claim.email_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply, please
    for name, value in letter.headers.items():
        message[name] = value
    message.set_content(letter.text, cte="quoted-printable")
    if letter.html:
        message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    if letter.attachment:
        main, sub = letter.attachment.media_type.split("/")
        message.add_attachment(letter.attachment.data, main, sub, filename=letter.attachment.name)
    return message.as_bytes()
