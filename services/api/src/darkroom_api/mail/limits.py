"""How many mails may be asked for, by one client and for one address. Held always, with or without API keys."""

import logging
import math
import time

from darkroom_contracts.keys import MAIL_LIMITS
from darkroom_contracts.mail import Address
from flask import Flask, g
from flask_limiter import Limiter, RateLimitExceeded
from redis import Redis

from darkroom_api.http.client_address import client
from darkroom_api.http.problems import Problem
from darkroom_api.settings import ApiSettings


class MailLimits:
    """Counts the mails that are asked for, over a window that slides along.

    Args:
        app: whose requests ask for them.
        settings: how many there may be.
        redis: where they are counted for all processes together.
    """

    def __init__(self, app: Flask, settings: ApiSettings, redis: Redis) -> None:
        limiter = Limiter(
            client,
            app=app,
            strategy="sliding-window-counter",
            storage_uri="redis://",  # the kind of storage; where it is, the connections know
            storage_options={
                "key_prefix": MAIL_LIMITS,
                "connection_pool": redis.connection_pool,  # type: ignore[dict-item]  # `limits` takes it
            },
            in_memory_fallback_enabled=True,  # each process counts by itself while Redis does not answer
        )
        limiter.logger.setLevel(logging.WARNING)  # at lower levels it would write people's addresses into the log

        @limiter.shared_limit(settings.mail_limit_per_client, scope="client")
        def count_for_client() -> None:
            pass

        @limiter.shared_limit(settings.mail_limit_per_address, scope="address", key_func=lambda: str(g.mailbox))
        def count_for_address() -> None:
            pass

        self._limiter = limiter
        self._count_for_client = count_for_client
        self._count_for_address = count_for_address

    def count(self, address: Address) -> None:
        """Count a mail to this address that the current request asks for.

        Raises:
            Problem: 429, for there were too many.
        """
        g.mailbox = mailbox(address)
        try:
            self._count_for_client()  # first, so that who is refused anyway cannot use up somebody's address
        except RateLimitExceeded:
            raise self._refusal("You asked for too many mails.") from None
        try:
            self._count_for_address()
        except RateLimitExceeded:
            raise self._refusal("Too many mails were asked for to this address.") from None

    def _refusal(self, reason: str) -> Problem:
        limit = self._limiter.current_limit
        wait = max(1, math.ceil(limit.window.reset_time - time.time())) if limit else 1
        return Problem(
            429, f"{reason} Try again in {wait} seconds.", error="Too many mails", headers={"Retry-After": str(wait)}
        )


def mailbox(address: Address) -> str:
    """Where mail to the address most likely ends up: capitals and a tag such as in ``ada+tag@`` make no difference."""
    local_part, _, domain = address.lower().rpartition("@")
    return f"{local_part.partition('+')[0]}@{domain}"
