"""Idempotency keys: a request that is sent again, because its answer was lost, makes nothing twice.

A key stands for a group for a day, and no longer than the group lives: afterwards the request is a new one.
"""

import hashlib
import json
from dataclasses import dataclass

from darkroom_records import _keys as keys

LIFETIME = 24 * 3600
"""Seconds for which a key stands for its group at most."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """One key, for one request.

    Args:
        scope: whose key it is; two clients may choose the same.
        key: as the client chose it.
        fingerprint: what is the same for equal requests, and for no others.
    """

    scope: str
    key: str
    fingerprint: str

    @property
    def name(self) -> str:
        """Where it is kept."""
        return keys.idempotency(hashlib.sha256(f"{self.scope}\0{self.key}".encode()).hexdigest())

    def arguments(self, group_id: str, total: int) -> tuple[str, str, int]:
        """Where it is kept, what is kept there, and for how many seconds."""
        made = {"fingerprint": self.fingerprint, "group_id": group_id, "total": total}
        return self.name, json.dumps(made), LIFETIME


@dataclass(frozen=True, slots=True)
class EarlierRequest:
    """A request that took a key before: what it made, and whether it is still under way."""

    fingerprint: str
    group_id: str | None
    total: int
    is_under_way: bool

    @classmethod
    def read(cls, made: str, unfinished: int) -> "EarlierRequest":
        """What is kept under a key. A key without a group was taken by an older version, whose request is under way."""
        known = json.loads(made)
        return cls(known["fingerprint"], known.get("group_id"), known.get("total", 0), bool(int(unfinished)))


class RepeatedRequestError(Exception):
    """The idempotency key of a new group stands for another one."""

    def __init__(self, earlier: EarlierRequest) -> None:
        super().__init__("The idempotency key is taken.")
        self.earlier = earlier
