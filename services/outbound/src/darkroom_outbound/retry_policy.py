"""What to do about a file that could not be fetched: try again later, or fail its image."""

import secrets
from dataclasses import dataclass

from darkroom_contracts.problems import ProblemCode

from darkroom_outbound.errors import FetchError, TemporaryError

_FIRST_WAIT = 5.0
_LONGEST_WAIT = 300.0
_STORAGE_ATTEMPTS = 10
"""It is ours, and somebody is at work on it."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to fetch again what failed.

    Attributes:
        attempts: how many there are in all.
    """

    attempts: int

    def next_wait(self, error: FetchError | OSError, failures: int) -> float | None:
        """Seconds until the next attempt; None where there is none.

        Args:
            error: why the last one failed.
            failures: how many have failed by now.
        """
        attempts = self.attempts if isinstance(error, FetchError) else _STORAGE_ATTEMPTS
        if failures >= attempts or (isinstance(error, FetchError) and not error.is_temporary):
            return None
        wait = _FIRST_WAIT * 3.0 ** (failures - 1)
        if isinstance(error, TemporaryError) and error.retry_after:
            wait = max(wait, error.retry_after)
        # Some of it by chance, so that what failed together does not come back together.
        return min(wait, _LONGEST_WAIT) * (1 + secrets.SystemRandom().random() / 4)

    def reason(self, error: FetchError | OSError, failures: int) -> tuple[str, ProblemCode]:
        """Why the file could not be had, for the owner of the image and for programs."""
        if isinstance(error, OSError):
            return "The image storage was unavailable. Please retry.", ProblemCode.STORAGE_UNAVAILABLE
        text = f"{error} It was tried {failures} times." if failures > 1 else str(error)
        return text, error.code
