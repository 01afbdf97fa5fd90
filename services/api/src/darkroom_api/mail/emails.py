"""Sending emails: a group's results, or a text of somebody with a key."""

from dataclasses import replace
from typing import Self

from darkroom_contracts.ids import new_email_id
from darkroom_contracts.mail import MAX_BODY, MAX_SUBJECT, Address, TextEmail
from darkroom_contracts.problems import ProblemCode
from darkroom_records.groups import Group
from darkroom_records.mail_limits import MailLimitError, MailRequest
from flask import Flask, Response, request
from flask_openapi import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field, model_validator

from darkroom_api.groups.requests import EmailAddress
from darkroom_api.http import bodies
from darkroom_api.http.api_keys import asks_for_key
from darkroom_api.http.bodies import accepted
from darkroom_api.http.client_address import client
from darkroom_api.http.foreign_pages import has_effect
from darkroom_api.http.openapi import EMAILS, NEEDS_KEY, answers, json_content
from darkroom_api.http.parameters import GroupPath
from darkroom_api.http.problems import Problem, respond
from darkroom_api.services import Services, services

blueprint = APIBlueprint("emails", __name__, abp_tags=[EMAILS])

_MAX_ESCAPE = 12
"""Bytes of one character in JSON at most: two escapes such as ``\\ud83d`` make one beyond U+FFFF."""
_MAX_BYTES = _MAX_ESCAPE * MAX_BODY + bodies.MAX_BYTES
_ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"


class EmailOrder(BaseModel):
    """An email to one address."""

    model_config = ConfigDict(strict=True, extra="forbid")

    to: EmailAddress
    subject: str = Field(
        min_length=1, max_length=MAX_SUBJECT, description="One line.", json_schema_extra={"pattern": _ONE_LINE}
    )
    body: str = Field(min_length=1, max_length=MAX_BODY, description="Plain text.")

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        TextEmail(subject=self.subject, body=self.body)
        return self


class ResultsOrder(BaseModel):
    """Where to email a group's results."""

    model_config = ConfigDict(strict=True, extra="forbid")

    email: EmailAddress | None = Field(
        None, description="For a group that has no address yet: it becomes the group's own."
    )


class EmailReference(BaseModel):
    """An email will be sent."""

    id: str = Field(description="What became of it is to be seen at `/tasks/{id}`.")


_ANSWERS = answers({202: EmailReference}, 401, 404, 409, 422, 429, 503)


@blueprint.post(
    "/send_images/<group_id>",
    operation_id="emailResults",
    security=NEEDS_KEY,
    responses=_ANSWERS | answers({}, 400, 413, 415),
    request_body=json_content(blueprint, ResultsOrder, required=False),
)
@asks_for_key
def send_images(path: GroupPath) -> Response:
    """Email the results of an ended group to the group's address. A group that has none can be given one.

    Asked for again within ten minutes, it is the same email, unless that one failed or the group has ended anew.
    """
    given = bodies.read_json(ResultsOrder).email if _has_body() else None
    return _answer(path.group_id, given)


@blueprint.get("/send_images/<group_id>", operation_id="emailResultsByLink", security=NEEDS_KEY, responses=_ANSWERS)
@has_effect
@asks_for_key
def send_images_by_link(path: GroupPath) -> Response:
    """The same as the POST, for a plain link."""
    return _answer(path.group_id)


@blueprint.post(
    "/send_email",
    operation_id="sendEmail",
    security=NEEDS_KEY,
    responses=answers({202: EmailReference}, 400, 401, 403, 413, 415, 422, 429, 503),
    request_body=json_content(blueprint, EmailOrder),
)
@asks_for_key
def send_email() -> Response:
    """Send a plain text to one address. Switched off (403) where this server has no API keys: it is no open relay."""
    if not services().settings.api_keys:
        raise Problem(
            403,
            "Sending email is disabled until API keys are configured: DARKROOM_API_KEYS.",
            code=ProblemCode.EMAIL_DISABLED,
            error="Sending email is disabled",
        )
    order = bodies.read_json(EmailOrder, _MAX_BYTES)
    email_id = services().emails.send_text(order.to, order.subject, order.body, new_request())
    return accepted(EmailReference(id=email_id), services().paths.task(email_id))


def init_mail_limits(app: Flask) -> None:
    """Answer requests for too many emails."""
    app.register_error_handler(MailLimitError, _too_many)


def new_request() -> MailRequest:
    """A request for an email by the client of this HTTP request."""
    return MailRequest(new_email_id(), client())


def _too_many(error: MailLimitError) -> Response:
    return respond(
        Problem(
            429,
            f"{error} Try again in {error.wait} seconds.",
            code=ProblemCode.RATE_LIMIT_EXCEEDED,
            error="Too many emails",
            headers={"Retry-After": str(error.wait)},
        )
    )


def _has_body() -> bool:
    return bool(request.content_length or request.headers.get("Transfer-Encoding"))


def _answer(group_id: str, given: Address | None = None) -> Response:
    email_id = email_results(services(), group_id, given, new_request())
    return accepted(EmailReference(id=email_id), services().paths.task(email_id))


def email_results(services: Services, group_id: str, given: Address | None, request: MailRequest) -> str:
    """Email the results of a group that has ended, and return the id of the email.

    Args:
        services: what is worked with.
        group_id: the group.
        given: an address for a group that has none yet.
        request: what is counted, unless the same email goes out already.

    Raises:
        Problem: 409 where the group runs or has another address, 422 where it has none.
        MailLimitError: too many emails were asked for.
        UnknownGroupError: there is no such group.
    """
    group = services.groups.read(group_id, images=False)
    if not group.state.is_final:
        raise Problem(
            409,
            "The group has not ended yet. Ask again once it has.",
            code=ProblemCode.GROUP_RUNNING,
            headers={"Retry-After": "2"},
        )
    if given and group.email != given:
        group = _with_address(services, group, given, request)
    if not group.email:
        raise Problem(
            422,
            "This group has no email address. POST one as `email`, or give it along with the images.",
            code=ProblemCode.NO_EMAIL_ADDRESS,
            error="No address",
        )
    return services.emails.send_results(group, request)


def _with_address(services: Services, group: Group, given: Address, request: MailRequest) -> Group:
    """The group with the address that it was given, unless it has another one."""
    if not group.email:
        # First, so that a request for too many emails changes nothing. The email itself then counts no more.
        services.outbox.reserve((given,), request)
        if services.groups.set_email(group.group_id, given):
            return replace(group, email=given)
    raise Problem(
        409,
        "This group already has a different email address, which cannot be changed.",
        code=ProblemCode.EMAIL_ADDRESS_CONFLICT,
    )
