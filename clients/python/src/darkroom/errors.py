"""What can go wrong. The text of every error is a sentence for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests


class DarkroomError(Exception):
    """Anything that goes wrong between this client and a server."""


class UnreachableError(DarkroomError):
    """The server cannot be reached, or stopped answering."""


class UnexpectedAnswerError(DarkroomError):
    """Something answered that is not a Darkroom server, or not one that this client knows."""


class BrokenDownloadError(DarkroomError):
    """What was downloaded is not what the server has."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake of a request that has several."""

    where: str
    message: str


class ProblemError(DarkroomError):
    """The server refused a request (RFC 9457).

    Args:
        sentence: what is wrong and what to do about it.
        status: the HTTP status.
        code: the same for programs; it keeps its name and its meaning.
        mistakes: each mistake of a request that has several.
        retry_after: seconds after which it may be asked again, where the server says so.
    """

    def __init__(
        self,
        sentence: str,
        *,
        status: int,
        code: str | None = None,
        mistakes: Sequence[Mistake] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.mistakes = tuple(mistakes)
        self.retry_after = retry_after


class InvalidRequestError(ProblemError):
    """The request cannot be understood, or is not one that this server takes (400, 413, 415, 422)."""


class AccessDeniedError(ProblemError):
    """The API key is missing, unknown, or not allowed to do this (401, 403)."""


class NotFoundError(ProblemError):
    """There is no such group, image or result, or no longer (404, 410)."""


class ConflictError(ProblemError):
    """It cannot be done in the current state (409, 412)."""


class TooManyRequestsError(ProblemError):
    """A limit is reached (429). `retry_after` says for how long."""


class ServerFailureError(ProblemError):
    """The server cannot answer now (5xx)."""


_CLASSES: Mapping[int, type[ProblemError]] = {
    400: InvalidRequestError,
    401: AccessDeniedError,
    403: AccessDeniedError,
    404: NotFoundError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: TooManyRequestsError,
}


def problem_of(response: requests.Response) -> ProblemError:
    """Return the error that a response of 400 or more stands for."""
    status = response.status_code
    body = _body_of(response)
    kind = _CLASSES.get(status, ServerFailureError if status >= 500 else InvalidRequestError)
    detail = body.get("detail") or body.get("error")
    if status == 401:
        detail = "The server requires an API key that it knows. Set DARKROOM_API_KEY."
    if not isinstance(detail, str) or not detail:
        detail = f"{_host(response)} answered {status} {response.reason or ''}".rstrip() + "."
    mistakes = [
        Mistake(str(mistake.get("where", "")), str(mistake.get("message", "")))
        for mistake in body.get("errors") or ()
        if isinstance(mistake, dict)
    ]
    code = body.get("code")
    return kind(
        _sentence(detail),
        status=status,
        code=code if isinstance(code, str) else None,
        mistakes=mistakes,
        retry_after=retry_after(response),
    )


def unreachable(url: str, error: Exception) -> UnreachableError:
    """Return the error for a server that does not answer.

    Args:
        url: of the server.
        error: what the HTTP library says of it.
    """
    return UnreachableError(f"Cannot reach {url}: {_reason(error)}.")


def retry_after(response: requests.Response) -> float | None:
    """Return the seconds of a response's Retry-After, if it has one in seconds."""
    try:
        return max(0.0, float(response.headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def _body_of(response: requests.Response) -> Mapping[str, Any]:
    if "json" not in response.headers.get("Content-Type", ""):
        return {}
    try:
        body = response.json()
    except (ValueError, requests.RequestException):
        return {}
    return body if isinstance(body, dict) else {}


def _host(response: requests.Response) -> str:
    return "/".join((response.url or "The server").split("/")[:3])


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _reason(error: BaseException) -> str:
    """The innermost reason that says something to people."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "TLS failed"
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror and not isinstance(seen, requests.RequestException):
            return str(seen.strerror)[:1].lower() + str(seen.strerror)[1:]
        inner = seen.args[0] if seen.args and isinstance(seen.args[0], BaseException) else None
        seen = getattr(seen, "reason", None) or inner or seen.__cause__ or seen.__context__
        if isinstance(seen, str):
            break
    text = str(error)
    if "resolve" in text.lower() or "name or service" in text.lower():
        return "there is no host of this name"
    return "the connection was lost"
