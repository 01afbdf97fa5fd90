"""The secret that webhooks are signed with."""

import base64
import binascii
from typing import Annotated, Any

from darkroom_runtime.settings import Settings
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

PREFIX = "whsec_"


def parse_secret(text: str) -> bytes:
    """Read a secret as it is written in a setting.

    Raises:
        ValueError: it is none; the message does not hold it.
    """
    if not text.startswith(PREFIX):
        raise ValueError(f"a webhook secret begins with {PREFIX}")
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError(f"a webhook secret is base64 after {PREFIX}") from None
    if not 24 <= len(secret) <= 64:
        raise ValueError("a webhook secret has between 24 and 64 bytes")
    return secret


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _check_secrets(secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    for secret in secrets:
        parse_secret(secret.get_secret_value())
    return secrets


class WebhookSettings(Settings):
    """Settings of a process that takes webhooks in or delivers them."""

    webhook_secret: Annotated[
        tuple[SecretStr, ...], NoDecode, BeforeValidator(_split), AfterValidator(_check_secrets)
    ] = Field(
        (),
        description="What webhooks are signed with: `whsec_` and 24 to 64 bytes in base64; several are separated by "
        "commas while receivers change from one to the next. Without one, there are no webhooks.",
    )

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """The bytes of the secrets."""
        return tuple(parse_secret(secret.get_secret_value()) for secret in self.webhook_secret)
