"""The links in emails, and the signatures that say they are ours. There is no table of them."""

import secrets
from typing import cast

from darkroom_contracts.mail import Address
from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from pydantic import Field, SecretStr
from redis import Redis

from darkroom_records._keys import SIGNING_KEY
from darkroom_records.public_url import PublicUrlSettings
from darkroom_records.subscribers import CONFIRMATION_PERIOD


class LinkSettings(PublicUrlSettings):
    """Settings of a process that writes or follows links in emails."""

    secret_key: SecretStr | None = Field(
        None, description="Signs the links in emails. Without one, a random one is made and kept in Redis."
    )


class BrokenLinkError(ValueError):
    """The link was not made here, was changed on its way, or is too old."""


class Links:
    """Makes links for emails, and reads what they were made for."""

    def __init__(self, settings: LinkSettings, redis: Redis) -> None:
        self._base = settings.public_base
        key = settings.secret_key.get_secret_value() if settings.secret_key else _kept_key(redis)
        self._confirmations = URLSafeTimedSerializer(key, salt="confirm")
        self._unsubscriptions = URLSafeSerializer(key, salt="unsubscribe")

    def archive(self, group_id: str) -> str:
        """Where all results of a group are fetched. It holds until the group expires."""
        return f"{self._base}/archive/{group_id}"

    def confirmation(self, address: Address) -> str:
        """Where an address confirms its subscription. It holds for ``CONFIRMATION_PERIOD``."""
        return f"{self._base}/confirm/{self._confirmations.dumps(address)}"

    def unsubscription(self, address: Address) -> str:
        """Where an address ends its subscription. It never expires: an email may be read years later."""
        return f"{self._base}/unsubscribe/{self._unsubscriptions.dumps(address)}"

    def confirming(self, token: str) -> Address:
        """The address that a confirmation link was made for.

        Raises:
            BrokenLinkError: the link is not ours or too old.
        """
        try:
            return Address(self._confirmations.loads(token, max_age=CONFIRMATION_PERIOD))
        except BadData:
            raise BrokenLinkError("This link has expired. Subscribe again to get a new one.") from None

    def unsubscribing(self, token: str) -> Address:
        """The address that an unsubscription link was made for.

        Raises:
            BrokenLinkError: the link is not ours.
        """
        try:
            return Address(self._unsubscriptions.loads(token))
        except BadData:
            raise BrokenLinkError("This link is incomplete. Copy the full link from the email.") from None


def _kept_key(redis: Redis) -> str:
    redis.set(SIGNING_KEY, secrets.token_hex(32), nx=True)
    return cast("str", redis.get(SIGNING_KEY))
