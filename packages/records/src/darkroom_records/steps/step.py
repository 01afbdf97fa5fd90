"""One step: a script with the key of its answer, and the time until which its caller waits."""

import math
import secrets
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from darkroom_records import _keys as keys
from darkroom_records.steps.clock import clock_of

_ONCE = (files("darkroom_records.steps") / "once.lua").read_text()
_NONE: Mapping[str, str] = MappingProxyType({})
_MARGIN = 0.25
"""Seconds before the caller gives up from which a call changes nothing."""
_LEAST_KEPT = 60
"""Seconds for which an answer is kept, and twice the caller's patience on top: it also pauses between two attempts."""


class Step:
    """A script that changes records in one atomic step, and answers a call that is sent again as it did at first.

    Args:
        redis: where the records are.
        package: holds the scripts, in a folder ``scripts``.
        parts: the scripts' names; what is shared comes first, what is done comes last.
        constants: texts that the scripts know by these names.
    """

    def __init__(self, redis: Redis, package: str, *parts: str, constants: Mapping[str, str] = _NONE) -> None:
        folder = files(package) / "scripts"
        known = [f"local {name} = '{text}'" for name, text in constants.items()]
        *shared, step = [(folder / f"{part}.lua").read_text() for part in parts]
        self._script = redis.register_script(
            _ONCE.replace("--SHARED--", "\n".join([*known, *shared])).replace("--STEP--", step)
        )
        self._redis = redis
        self._clock = clock_of(redis)
        self._patience = _patience(redis)
        self._kept = _LEAST_KEPT + 2 * math.ceil(self._patience or 0)

    def __call__(self, names: Sequence[str], arguments: Sequence[str | float]) -> Any:
        """Do the step.

        Raises:
            redis.exceptions.TimeoutError: Redis did not come to it while it was waited for. Nothing was changed.
        """
        began = time.monotonic()
        try:
            return self._call(names, arguments)
        except ResponseError as error:
            if not str(error).startswith("TOOLATE"):
                raise
            self._clock.forget()
            if self._patience is None or time.monotonic() - began >= self._patience:
                raise RedisTimeoutError("Redis came to a step too late; nothing was changed.") from None
        return self._call(names, arguments)  # it is not late at all: the clock was wrong

    def _call(self, names: Sequence[str], arguments: Sequence[str | float]) -> Any:
        # The client sends these very arguments again, by itself, when the answer is lost.
        answer_key = keys.step_answer(secrets.token_urlsafe(9))
        deadline = 0.0 if self._patience is None else self._clock.now(self._redis) + self._patience
        return self._script(keys=[*names, answer_key], args=[*arguments, f"{deadline:.6f}", self._kept])


def _patience(redis: Redis) -> float | None:
    """Seconds that a caller certainly waits for Redis when it is silent. None where that is for ever."""
    timeout = redis.connection_pool.connection_kwargs.get("socket_timeout")
    retry = redis.get_retry()
    if timeout is None:
        return None
    return max(0.0, float(timeout) * (1 + (retry.get_retries() if retry else 0)) - _MARGIN)
