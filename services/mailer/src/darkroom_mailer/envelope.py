"""An email as it goes over the wire: its headers, its parts, its bytes."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime

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


def build_message(email: ComposedEmail, claim: Claim, settings: MailerSettings) -> bytes:
    """The whole message, the same at each attempt. Its Message-ID follows from the email's id."""
    message = EmailMessage(_POLICY)
    message["From"] = HeaderAddress(settings.mail_from_name, addr_spec=settings.mail_from)
    message["To"] = [HeaderAddress(addr_spec=address) for address in claim.to]
    message["Subject"] = email.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(claim.created_at, UTC))
    message["Message-ID"] = f"<{claim.email_id}@{settings.mail_domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office reply, please
    for name, value in email.headers.items():
        message[name] = value
    message.set_content(email.text, cte="quoted-printable")
    if email.html:
        message.add_alternative(email.html, subtype="html", cte="quoted-printable")
    if email.attachment:
        main, sub = email.attachment.media_type.split("/")
        message.add_attachment(email.attachment.data, main, sub, filename=email.attachment.name)
    return message.as_bytes()
