"""Fetching the file behind a URL."""

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time

from darkroom_contracts.problems import ProblemCode

from darkroom_outbound.client import Answer, Client
from darkroom_outbound.errors import AnsweredError, FetchError, TemporaryError, TooLargeError
from darkroom_outbound.urls import Target, follow, parse
from darkroom_outbound.watch import Watch

MAX_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TEMPORARY = frozenset({408, 425, 429, *range(500, 600)})
_HEADERS = {"Accept": "image/*,*/*;q=0.5"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is fetched, and for how long.

    Attributes:
        max_bytes: of the file.
        seconds: for all of it, with its redirects.
    """

    max_bytes: int
    seconds: float


def fetch_file(url: str, write: Callable[[bytes], object], *, client: Client, limits: Limits) -> int:
    """Fetch a file.

    Args:
        url: where it is.
        write: takes its bytes as they come; a file that is given up has been written in part.
        client: sends the requests.
        limits: of the file.

    Returns:
        The number of its bytes.

    Raises:
        FetchError: it was not fetched; the error says whether it may be later.
        HostBusyError: the host has enough requests to answer.
    """
    with Watch(limits.seconds) as watch:
        target = parse(url)
        for _ in range(1 + MAX_REDIRECTS):
            with client.send("GET", target, watch, headers=_HEADERS) as answer:
                location = answer.header("Location")
                if answer.status not in _REDIRECTS or not location:
                    _check(answer, limits)
                    return _read(answer, write, limits)
            target = _followed(target, location)
    raise AnsweredError(f"The URL redirects more than {MAX_REDIRECTS} times.")


def retry_after(answer: Answer) -> float | None:
    """Seconds that a server asks to wait before the next request."""
    text = (answer.header("Retry-After") or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(parsedate_to_datetime(text).timestamp() - time(), 0.0)
    except (ValueError, OverflowError, TypeError):
        return None


def _followed(target: Target, location: str) -> Target:
    try:
        return follow(target, location)
    except FetchError as error:
        raise type(error)(f"The URL redirects to where it must not: {error}", code=error.code) from None


def _check(answer: Answer, limits: Limits) -> None:
    status = answer.status
    if status in _TEMPORARY:
        raise TemporaryError(f"The URL's server answered {status}.", retry_after=retry_after(answer))
    if status in (404, 410):
        raise AnsweredError(
            f"There is nothing at the URL: its server answered {status}.", code=ProblemCode.URL_NOT_FOUND
        )
    if status != 200:
        raise AnsweredError(f"The URL's server answered {status}.")
    if (answer.header("Content-Encoding") or "identity").strip().lower() != "identity":
        raise AnsweredError("The URL's server compressed its answer, although it was asked not to.")
    if (answer.length or 0) > limits.max_bytes:
        raise _too_large(limits)


def _read(answer: Answer, write: Callable[[bytes], object], limits: Limits) -> int:
    count = 0
    for piece in answer.pieces():
        count += len(piece)
        if count > limits.max_bytes:
            raise _too_large(limits)
        write(piece)
    return count


def _too_large(limits: Limits) -> TooLargeError:
    return TooLargeError(f"The file is too large; the limit is {limits.max_bytes / 1e6:.3g} MB.")
