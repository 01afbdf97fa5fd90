"""Addresses at which anybody can fetch one object of a bucket for a while, signed by AWS's Signature Version 4.

The library that reads and writes the bucket signs such addresses as well, but not with the headers of the answer in
them, and so not with the name of the file.
"""

import hashlib
import hmac
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlsplit

from darkroom_records.aws_settings import AwsSettings
from darkroom_records.s3_location import S3Location

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_DEFAULT_REGION: Final = "us-east-1"


def signed_url(
    location: S3Location,
    aws: AwsSettings,
    key: str,
    *,
    query: Mapping[str, str],
    seconds: int,
    now: datetime,
) -> str | None:
    """Return an address of the object that holds for so many seconds.

    Args:
        location: the bucket.
        aws: who signs.
        key: of the object, below the location's prefix.
        query: what is asked for, such as ``response-content-disposition``.
        seconds: until the address expires.
        now: the time in UTC.

    Returns:
        The address, or None where there is no key to sign it with: one that the machine lends out is the library's.
    """
    if aws.access_key_id is None or aws.secret_access_key is None:
        return None
    region = location.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _DEFAULT_REGION
    address = _address(location, region, key)
    day, time = f"{now:%Y%m%d}", f"{now:%Y%m%dT%H%M%SZ}"
    scope = f"{day}/{region}/s3/aws4_request"
    signed = {
        **query,
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{aws.access_key_id}/{scope}",
        "X-Amz-Date": time,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    if aws.session_token is not None:
        signed["X-Amz-Security-Token"] = aws.session_token.get_secret_value()
    text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(signed.items()))
    parts = urlsplit(address)
    request = f"GET\n{parts.path}\n{text}\nhost:{parts.netloc}\n\nhost\nUNSIGNED-PAYLOAD"
    to_sign = f"{_ALGORITHM}\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    secret = f"AWS4{aws.secret_access_key.get_secret_value()}".encode()
    for step in (day, region, "s3", "aws4_request", to_sign):
        secret = hmac.digest(secret, step.encode(), "sha256")
    return f"{address}?{text}&X-Amz-Signature={secret.hex()}"


def _address(location: S3Location, region: str, key: str) -> str:
    server = location.public_endpoint or location.endpoint
    path = quote("/".join(part for part in (location.prefix, key) if part))
    if location.virtual:  # a server's own name has the bucket in it then
        return f"{server or f'https://{location.bucket}.s3.{region}.amazonaws.com'}/{path}"
    return f"{server or f'https://s3.{region}.amazonaws.com'}/{location.bucket}/{path}"
