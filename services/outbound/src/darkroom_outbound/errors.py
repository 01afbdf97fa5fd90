"""What can become of a request to a stranger's server."""

from typing import ClassVar

from darkroom_contracts.problems import ProblemCode


class FetchError(Exception):
    """The URL was not fetched. Its text is a sentence for whoever gave the URL and holds nothing else."""

    default_code: ClassVar[ProblemCode] = ProblemCode.FETCH_FAILED
    is_temporary: ClassVar[bool] = False
    """Whether it may succeed a little later."""

    def __init__(self, sentence: str, *, code: ProblemCode | None = None) -> None:
        super().__init__(sentence)
        self.code = code or self.default_code


class UrlRefusedError(FetchError):
    """It is not for us to go there."""

    default_code = ProblemCode.URL_NOT_ALLOWED


class AnsweredError(FetchError):
    """The server answered, and its answer is final."""


class TooLargeError(FetchError):
    """There is more than may be kept."""

    default_code = ProblemCode.IMAGE_TOO_LARGE


class TemporaryError(FetchError):
    """The server could not be reached, or answered that it cannot now.

    Args:
        sentence: what happened.
        retry_after: seconds that the server asks to wait.
        code: the same for programs.
    """

    is_temporary = True

    def __init__(self, sentence: str, *, retry_after: float | None = None, code: ProblemCode | None = None) -> None:
        super().__init__(sentence, code=code)
        self.retry_after = retry_after


class FetchTimeoutError(TemporaryError):
    """It took too long."""

    default_code = ProblemCode.FETCH_TIMEOUT


class HostBusyError(Exception):
    """As many requests as may run against one host are running.

    Attributes:
        wait: seconds after which it is the turn of whoever was turned away.
    """

    def __init__(self, host: str, wait: float) -> None:
        super().__init__(f"{host} has as many requests as it may have.")
        self.wait = wait
