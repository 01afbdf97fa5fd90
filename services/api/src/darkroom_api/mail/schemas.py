"""Mails, as they are asked for, and what is answered to who asked."""

from typing import Self

from darkroom_contracts.mail import MAX_BODY, MAX_SUBJECT, TextMail
from pydantic import BaseModel, ConfigDict, Field, model_validator

from darkroom_api.groups.requests import EmailAddress

_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"


class MailOrder(BaseModel):
    """A mail to one address."""

    model_config = ConfigDict(strict=True, extra="forbid")

    to: EmailAddress
    subject: str = Field(
        min_length=1, max_length=MAX_SUBJECT, description="One line.", json_schema_extra={"pattern": _ONE_LINE}
    )
    body: str = Field(min_length=1, max_length=MAX_BODY, description="Plain text.")

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        TextMail(subject=self.subject, body=self.body)
        return self


class ResultsOrder(BaseModel):
    """Where to mail a group's results."""

    model_config = ConfigDict(strict=True, extra="forbid")

    email: EmailAddress | None = Field(
        None, description="For a group that has no address yet: it becomes the group's own."
    )


class MailReference(BaseModel):
    """A mail will be sent."""

    id: str = Field(description="What became of it is to be seen at `/tasks/{id}`.")


class Subscription(BaseModel):
    """An address for the newsletter."""

    model_config = ConfigDict(strict=True, extra="forbid")

    email: EmailAddress


class Notice(BaseModel):
    """A sentence for whoever asked."""

    message: str
