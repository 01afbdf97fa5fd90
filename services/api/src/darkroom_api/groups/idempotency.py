"""Idempotency-Key: a request that is sent again, because its answer was lost, makes nothing twice."""

import hashlib
import json
from dataclasses import dataclass
from typing import cast

import structlog
from darkroom_contracts.problems import ProblemCode
from darkroom_records._keys import idempotency
from darkroom_runtime.redis_client import UNAVAILABLE
from redis import Redis

from darkroom_api.http.problems import Problem

LIFETIME = 24 * 3600
"""Seconds for which a key stands for its group."""
UNDER_WAY = 300
"""Seconds after which a key is free again whose request never came to an end, because its process died."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """The group that an earlier request with the same key made."""

    group_id: str
    total: int


class IdempotencyKey:
    """One key, for one request.

    Args:
        redis: where keys are kept.
        scope: whose key it is; two clients may choose the same.
        key: as the client chose it.
        fingerprint: what is the same for equal requests, and for no others.
    """

    def __init__(self, redis: Redis, scope: str, key: str, fingerprint: str) -> None:
        self._redis = redis
        self._name = idempotency(hashlib.sha256(f"{scope}\0{key}".encode()).hexdigest())
        self._fingerprint = fingerprint

    def claim(self) -> Made | None:
        """Take the key. What an equal request made, or None where this one is the first.

        Raises:
            Problem: 422 where the key belongs to another request, 409 where an equal one is still under way.
        """
        mine = json.dumps({"fingerprint": self._fingerprint})
        if self._redis.set(self._name, mine, nx=True, ex=UNDER_WAY):
            return None
        record = json.loads(cast("str | None", self._redis.get(self._name)) or mine)
        if record["fingerprint"] != self._fingerprint:
            raise Problem(
                422,
                "This Idempotency-Key was used for another request. Choose a new one.",
                code=ProblemCode.IDEMPOTENCY_KEY_REUSED,
            )
        if "group_id" not in record:
            raise Problem(
                409,
                "The first request with this Idempotency-Key is under way.",
                code=ProblemCode.IDEMPOTENCY_KEY_IN_USE,
                headers={"Retry-After": "2"},
            )
        return Made(record["group_id"], record["total"])

    def keep(self, made: Made) -> None:
        """Let the key stand for the group from now on."""
        record = {"fingerprint": self._fingerprint, "group_id": made.group_id, "total": made.total}
        try:
            self._redis.set(self._name, json.dumps(record), ex=LIFETIME)
        except UNAVAILABLE as error:
            _log.warning("idempotency_key_not_kept", reason=str(error))  # the group is made and under way all the same

    def free(self) -> None:
        """Let the request be tried again, since it made nothing."""
        try:
            self._redis.delete(self._name)
        except UNAVAILABLE as error:
            _log.warning("idempotency_key_not_freed", reason=str(error))  # it expires
