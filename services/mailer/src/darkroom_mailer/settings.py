"""What the mailer is told."""

from typing import Annotated, Literal

from darkroom_contracts.mail import Address, parse_address
from darkroom_records.links import LinkSettings
from darkroom_records.mail_limits import MailLimitSettings
from darkroom_records.newsletter_calendar import CalendarSettings
from darkroom_records.retention import RetentionSettings
from darkroom_records.storage import StorageSettings
from darkroom_runtime.settings import ConsumerSettings
from pydantic import AfterValidator, Field, NonNegativeInt, PositiveInt, SecretStr, StringConstraints


class MailerSettings(
    StorageSettings, RetentionSettings, LinkSettings, CalendarSettings, MailLimitSettings, ConsumerSettings
):
    """Settings of the mailer."""

    mailer_concurrency: PositiveInt = Field(4, description="Emails sent at once.")
    smtp_host: str = Field("127.0.0.1", description="The mail server that takes our email.")
    smtp_port: int = Field(1025, ge=1, le=65535, description="587 is usual with `starttls`, 465 with `tls`.")
    smtp_security: Literal["none", "starttls", "tls"] = Field("none", description="How the connection is encrypted.")
    smtp_user: str | None = Field(None, description="The user to log in as, where the server asks for one.")
    smtp_password: SecretStr | None = Field(None, description="Its password.")
    smtp_timeout: float = Field(60.0, gt=0, le=600, description="Seconds to wait for each answer of the server.")
    mail_from: Annotated[Address, AfterValidator(parse_address)] = Field(
        Address("darkroom@localhost"), description="The address that emails come from."
    )
    mail_from_name: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        "Darkroom", description="The name that emails come from."
    )
    mail_attach_limit: NonNegativeInt = Field(
        15_000_000, description="The largest archive, in bytes, that is attached; a larger one is linked to."
    )
    mail_retry_wait: float = Field(
        30.0, gt=0, le=3600, description="Seconds until an email is tried again; doubled each time, up to an hour."
    )
    mail_retry_period: PositiveInt = Field(86_400, description="Seconds after which an email is given up.")
    newsletter_rate: float = Field(5.0, ge=0.1, le=100, description="Emails per second, across all mailers.")
    newsletter_bounce_limit: PositiveInt = Field(
        3, description="Consecutive hard bounces after which an address is removed."
    )

    @property
    def mail_domain(self) -> str:
        """The domain that emails come from."""
        return self.mail_from.rpartition("@")[2]

    @property
    def max_sending_seconds(self) -> float:
        """Seconds after which sending one email is certainly over: a dozen answers to wait for, and its composition."""
        return 15 * self.smtp_timeout + 60
