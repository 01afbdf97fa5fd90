"""Answers to what went wrong: problem details for HTTP APIs (RFC 9457), each with a sentence for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from darkroom_contracts.problems import CODE_OF_STATUS, ProblemCode
from flask import Response, current_app, url_for
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

MEDIA_TYPE = "application/problem+json"

MISSING_IMAGES = "Missing or invalid images parameter"
INVALID_GROUP = "Invalid group_id"

_SENTENCES: Mapping[int, str] = {
    405: "Method not allowed.",
    413: "Request body too large.",
    500: "Internal server error. The log has the details under this request's X-Request-ID.",
}
"""What is said where the cause has nothing better to say."""


class Mistake(BaseModel):
    """One mistake of a request that has several."""

    where: str = Field(description="For example `operations[1].radius`.")
    message: str


class ProblemDetails(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    code: ProblemCode = Field(description="What went wrong, for programs: a code keeps its name and its meaning.")
    detail: str = Field(description="What is wrong, where, and what to do about it.")
    error: str = Field(description="The same in a few words.")
    errors: list[Mistake] = Field([], description="Each mistake, where a request has several.")


class Problem(HTTPException):
    """A request that cannot be answered as asked.

    Args:
        status: the HTTP status.
        detail: what is wrong, where, and what to do about it.
        code: the same for programs.
        error: the same in a few words; the detail where there are none.
        errors: each mistake of a request that has several, as ``{"where", "message"}``.
        headers: to send along.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: ProblemCode,
        error: str | None = None,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = status
        self.problem_code = code
        self.error = error or detail
        self.errors = errors
        self.headers = headers or {}


def missing_images(detail: str = "Send at least one image as `images`.") -> Problem:
    """The request has no images."""
    return Problem(400, detail, code=ProblemCode.MISSING_IMAGES, error=MISSING_IMAGES)


def unknown_group() -> Problem:
    """There is no such group, or no longer."""
    return Problem(404, "No such group. It may have expired.", code=ProblemCode.GROUP_NOT_FOUND, error=INVALID_GROUP)


def unknown_upload() -> Problem:
    """There is no such upload, or no longer, or it is somebody else's."""
    return Problem(
        404,
        "No such upload. It may have been dropped because nothing used it.",
        code=ProblemCode.UPLOAD_NOT_FOUND,
        error="Invalid image_id",
    )


def backlog_full() -> Problem:
    """More images wait than may."""
    return Problem(
        429,
        "Too many images are waiting to be processed. Nothing was kept; please retry later.",
        code=ProblemCode.BACKLOG_FULL,
        error="Too many images are waiting.",
        headers={"Retry-After": "30"},
    )


def unavailable(detail: str, code: ProblemCode) -> Problem:
    """Something the API rests on does not answer."""
    return Problem(503, detail, code=code, headers={"Retry-After": "5"})


def respond(problem: HTTPException) -> Response:
    """The problem as a response, with the headers that belong to it."""
    status = problem.code or 500
    title = HTTP_STATUS_CODES[status]  # Python's own phrases change with its version
    detail = _detail(problem) or title
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": getattr(problem, "problem_code", CODE_OF_STATUS.get(status, ProblemCode.INVALID_REQUEST)),
        "detail": detail,
        "error": getattr(problem, "error", detail),
    }
    if errors := getattr(problem, "errors", None):
        body["errors"] = list(errors)
    headers = {name: value for name, value in problem.get_headers() if name.lower() != "content-type"}
    headers |= getattr(problem, "headers", {})
    return Response(current_app.json.dumps(body), status, headers, content_type=MEDIA_TYPE)


def _detail(problem: HTTPException) -> str | None:
    if isinstance(problem, Problem):
        return problem.description
    if problem.code == 404:
        return f"No such endpoint. See {url_for('docs.page')}."
    return _SENTENCES.get(problem.code or 500, problem.description)
