"""The links in emails, and the signatures that say they are ours. There is no table of them."""

import secrets
from typing import Annotated, cast

from darkroom_contracts.mail import Address
from darkroom_runtime.settings import Settings, plain_path
from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from pydantic import AfterValidator, Field, HttpUrl, SecretStr
from redis import Redis

from darkroom_records._keys import SIGNING_KEY
from darkroom_records.subscribers import CONFIRMATION_PERIOD


def _with_a_plain_path(url: HttpUrl) -> HttpUrl:
    if url.query is not None or url.fragment is not None:
        raise ValueError("an address to begin links with has no ? and no #")
    plain_path(url.path or "")
    return url


class LinkSettings(Settings):
    """Settings of a process that writes or follows links in emails."""

    public_url: Annotated[HttpUrl, AfterValidator(_with_a_plain_path)] = Field(
        HttpUrl("http://127.0.0.1:8000"),
        description="Where the API is reached from outside. It may have a path: `https://example.org/darkroom`.",
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs the links in emails. Without one, a random one is made and kept in Redis."
    )

    @property
    def public_path(self) -> str:
        """The path of the public URL, without a slash at its end: `/darkroom`, or nothing."""
        return plain_path(self.public_url.path or "")


class BrokenLinkError(ValueError):
    """The link was not made here, was changed on its way, or is too old."""


class Links:
    """Makes links for emails, and reads what they were made for."""

    def __init__(self, settings: LinkSettings, redis: Redis) -> None:
        self._base = str(settings.public_url).rstrip("/")
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
