"""Who asks for an email, and what is said when there were too many."""

from darkroom_contracts.ids import new_email_id
from darkroom_contracts.problems import ProblemCode
from darkroom_records.mail_limits import MailLimitError, MailRequest
from flask import Flask, Response

from darkroom_api.http.client_address import client
from darkroom_api.http.problems import Problem, respond


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
            error="Too many mails",
            headers={"Retry-After": str(error.wait)},
        )
    )
