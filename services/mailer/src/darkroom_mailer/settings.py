"""What the mailer is told."""

from typing import Literal

from darkroom_runtime.settings import Settings
from pydantic import Field, PositiveInt, SecretStr


class MailerSettings(Settings):
    """Settings of the mailer."""

    mailer_concurrency: PositiveInt = Field(4, description="Mails sent at once.")
    smtp_host: str = Field("127.0.0.1", description="The mail server that takes our mail.")
    smtp_port: int = Field(1025, ge=1, le=65535, description="587 is usual with `starttls`, 465 with `tls`.")
    smtp_security: Literal["none", "starttls", "tls"] = Field("none", description="How the connection is encrypted.")
    smtp_user: str | None = Field(None, description="The user to log in as, where the server asks for one.")
    smtp_password: SecretStr | None = Field(None, description="Its password.")
    smtp_timeout: float = Field(60.0, gt=0, le=600, description="Seconds to wait for each answer of the server.")
