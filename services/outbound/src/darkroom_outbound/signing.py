"""The signatures of webhooks, by the Standard Webhooks scheme: https://www.standardwebhooks.com."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable

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


def sign(secrets: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a webhook. More than one secret is for the time in which receivers change from one to the next."""
    text = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if signatures := [f"v1,{_signature(secret, text)}" for secret in secrets]:
        headers["webhook-signature"] = " ".join(signatures)
    return headers


def _signature(secret: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
