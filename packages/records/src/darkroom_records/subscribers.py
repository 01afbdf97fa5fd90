"""The subscribers of the newsletter: who asked for it, who confirmed, who left, and whose server refuses it."""

from collections.abc import Iterator
from typing import cast

from darkroom_contracts import keys
from darkroom_contracts.mail import Address
from redis import Redis

CONFIRMATION_PERIOD = 48 * 3600
"""Seconds in which a subscription can be confirmed."""

_PAGE = 100


def confirmation_occasion(address: Address) -> str:
    """What the mail that asks an address to confirm is about: there is one, until the address has confirmed."""
    return f"confirmation:{address}"


class Subscribers:
    """Reads and changes who gets the newsletter. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def request(self, address: Address) -> None:
        """Let the address confirm, once, within ``CONFIRMATION_PERIOD``. Costs the same whether it is known or not."""
        self._redis.set(keys.pending_subscriber(address), "asked", ex=CONFIRMATION_PERIOD)

    def confirm(self, address: Address) -> bool:
        """Subscribe an address that asked to be. False if it did not, or too long ago, or has left again since."""
        if not self._redis.exists(keys.pending_subscriber(address)):
            return address in self
        with self._redis.pipeline() as pipe:
            pipe.zadd(keys.SUBSCRIBERS, {address: 0})
            pipe.hdel(keys.BOUNCES, address)
            pipe.delete(keys.pending_subscriber(address), keys.mail_once(confirmation_occasion(address)))
            pipe.execute()
        return True

    def remove(self, address: Address) -> None:
        """Forget an address, whether it is known or not."""
        with self._redis.pipeline() as pipe:
            pipe.zrem(keys.SUBSCRIBERS, address)
            pipe.hdel(keys.BOUNCES, address)
            pipe.delete(keys.pending_subscriber(address))
            pipe.execute()

    def __contains__(self, address: Address) -> bool:
        return self._redis.zscore(keys.SUBSCRIBERS, address) is not None

    def after(self, address: str) -> Iterator[list[Address]]:
        """All subscribers whose address sorts after this one, page by page, so that they are never all in memory."""
        while page := self._page(address):
            yield page
            address = page[-1]

    def bounced(self, address: Address, *, limit: int) -> bool:
        """Count that its server refused a letter for good.

        Returns:
            Whether that was the last of ``limit`` in a row, and the address was removed.
        """
        if self._redis.hincrby(keys.BOUNCES, address, 1) < limit:
            return False
        self.remove(address)
        return True

    def reached(self, address: Address) -> None:
        """Forget earlier refusals: its server took a letter."""
        self._redis.hdel(keys.BOUNCES, address)

    def _page(self, after: str) -> list[Address]:
        found = self._redis.zrange(keys.SUBSCRIBERS, f"({after}", "+", bylex=True, offset=0, num=_PAGE)
        return [Address(address) for address in cast("list[str]", found)]
