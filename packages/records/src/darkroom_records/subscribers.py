"""The subscribers of the newsletter: who asked for it, who confirmed, who left, and whose server refuses it."""

from collections.abc import Iterator
from typing import cast

from darkroom_contracts.mail import Address
from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.steps import Step

CONFIRMATION_PERIOD = 48 * 3600
"""Seconds in which a subscription can be confirmed."""

_PAGE = 100


def confirmation_occasion(address: Address) -> str:
    """What the email that asks an address to confirm is about: there is one, until the address has confirmed."""
    return f"confirmation:{address}"


class Subscribers:
    """Reads and changes who gets the newsletter. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._request = Step(redis, "darkroom_records", "request_subscription")
        self._confirm = Step(redis, "darkroom_records", "confirm_subscription")
        self._remove = Step(redis, "darkroom_records", "remove_subscriber")
        self._record_bounce = Step(redis, "darkroom_records", "count_bounce")

    def request(self, address: Address) -> None:
        """Let the address confirm, once, within ``CONFIRMATION_PERIOD``. Costs the same whether it is known or not."""
        self._request([keys.pending_subscriber(address)], [CONFIRMATION_PERIOD])

    def confirm(self, address: Address) -> bool:
        """Subscribe an address that asked to be. False if it did not, or too long ago, or has left again since."""
        asked = keys.email_once(confirmation_occasion(address))
        return bool(self._confirm([*_keys(address), asked], [address]))

    def remove(self, address: Address) -> None:
        """Forget an address, whether it is known or not."""
        self._remove(_keys(address), [address])

    def __contains__(self, address: Address) -> bool:
        return self._redis.zscore(keys.SUBSCRIBERS, address) is not None

    def after(self, address: str) -> Iterator[list[Address]]:
        """All subscribers whose address sorts after this one, page by page, so that they are never all in memory."""
        while page := self._page(address):
            yield page
            address = page[-1]

    def record_bounce(self, address: Address, *, limit: int) -> bool:
        """Count that its server refused an email for good.

        Returns:
            Whether that was the last of ``limit`` in a row, and the address was removed.
        """
        return bool(self._record_bounce(_keys(address), [address, limit]))

    def reset_bounces(self, address: Address) -> None:
        """Forget earlier refusals: its server took an email."""
        self._redis.hdel(keys.BOUNCES, address)

    def _page(self, after: str) -> list[Address]:
        found = self._redis.zrange(keys.SUBSCRIBERS, f"({after}", "+", bylex=True, offset=0, num=_PAGE)
        return cast("list[Address]", found)


def _keys(address: Address) -> list[str]:
    return [keys.pending_subscriber(address), keys.SUBSCRIBERS, keys.BOUNCES]
