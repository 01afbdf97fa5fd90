"""What interrupts a view that would have to wait, to run it again when or where that holds nobody up.

It is run again from the start: whatever a view does before it reads the request's body, or before it says that it is
going to wait, has to bear being done twice.
"""

from typing import NoReturn

from flask import request

_KEY = "darkroom.serving.wait"


class WaitsError(BaseException):
    """This request is going to wait for something that happens elsewhere."""


class BodyNeededError(BaseException):
    """The body has not come in yet, and the view wants it. Nothing that handles errors should handle this."""


class AbsentBody:
    """In place of a body that has not come in yet."""

    def read(self, _size: int = -1) -> NoReturn:
        raise BodyNeededError

    readline = read


def refuse_to_wait() -> NoReturn:
    """What a view is given to call in a thread for requests that do not wait."""
    raise WaitsError


def install(environ: dict[str, object], *, may_wait: bool) -> None:
    """Tell a request whether it may wait in the thread it is run in."""
    if not may_wait:
        environ[_KEY] = refuse_to_wait


def about_to_wait() -> None:
    """Move this request to a thread of those that wait, lest it hold one that others need."""
    if refuse := request.environ.get(_KEY):
        refuse()
