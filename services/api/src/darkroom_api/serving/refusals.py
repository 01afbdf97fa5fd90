"""Answers of the server itself, to requests that never get to the application."""

import json

from darkroom_contracts.problems import CODE_OF_STATUS, ProblemCode
from werkzeug.http import HTTP_STATUS_CODES


def problem(status: int, detail: str, code: ProblemCode | None = None, *, retry_after: int | None = None) -> bytes:
    """A problem document (RFC 9457) as the whole of an HTTP answer, after which the connection closes."""
    title = HTTP_STATUS_CODES[status]
    body = json.dumps(
        {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "error": detail,
            "code": code or CODE_OF_STATUS.get(status, ProblemCode.INVALID_REQUEST),
        }
    )
    retry = f"Retry-After: {retry_after}\r\n" if retry_after else ""
    return (
        f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n{retry}\r\n{body}"
    ).encode()


HEAD_TOO_LARGE = problem(431, "The request line and headers are too large: the limit is 32 KiB.")
HEAD_TOO_SLOW = problem(408, "The request's headers did not arrive in time.", ProblemCode.REQUEST_TIMEOUT)
BODY_TOO_SLOW = problem(408, "The request's body arrived too slowly.", ProblemCode.REQUEST_TIMEOUT)
BODY_TOO_LARGE = problem(413, "Request body too large.", ProblemCode.REQUEST_TOO_LARGE)
DISK_FULL = problem(507, "Storage full. Nothing was kept.", ProblemCode.STORAGE_FULL, retry_after=60)
BUSY = problem(503, "Too many large JSON bodies at once. Please retry.", ProblemCode.SERVER_BUSY, retry_after=10)
TOO_MANY_UPLOADS = problem(503, "Too many uploads at once. Please retry.", ProblemCode.SERVER_BUSY, retry_after=10)
