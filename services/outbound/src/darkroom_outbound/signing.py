"""The signatures of webhooks, by the Standard Webhooks scheme: https://www.standardwebhooks.com."""

import base64
import hashlib
import hmac
from collections.abc import Iterable


def sign(secrets: Iterable[bytes], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a webhook. More than one secret is for the time in which receivers change from one to the next."""
    text = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
    if signatures := [f"v1,{_signature(secret, text)}" for secret in secrets]:
        headers["webhook-signature"] = " ".join(signatures)
    return headers


def _signature(secret: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
