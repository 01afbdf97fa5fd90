"""Where a bucket is: the setting ``s3://bucket/prefix?endpoint=...``, taken apart."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
_REGION = re.compile(r"[a-z0-9-]+")
_PARAMETERS: Final = frozenset({"endpoint", "public_endpoint", "region", "addressing"})


@dataclass(frozen=True, slots=True)
class S3Location:
    """A prefix of a bucket, and the server that holds it.

    Args:
        bucket: its name.
        prefix: what every key begins with; none where it is empty.
        endpoint: the address of the server; AWS where there is none.
        public_endpoint: its address for the clients that are sent there, where it is another one.
        region: as AWS has them; of the environment where there is none.
        virtual: whether the bucket is part of the host's name in place of the path.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    public_endpoint: str | None = None
    region: str | None = None
    virtual: bool = False

    @classmethod
    def of(cls, url: str) -> "S3Location":
        """Read the setting.

        Raises:
            ValueError: it is none; the message says why.
        """
        parts = urlsplit(url)
        prefix = parts.path.strip("/")
        if parts.scheme != "s3" or parts.fragment:
            raise ValueError("Expected s3://bucket/prefix?endpoint=https://...&region=...")
        if not _BUCKET.fullmatch(parts.netloc):
            raise ValueError("The bucket needs 3 to 63 lower-case letters, digits, dots and hyphens")
        if prefix and not _PREFIX.fullmatch(prefix):
            raise ValueError("The prefix may have letters, digits, dots, hyphens and underscores between its slashes")
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := given.keys() - _PARAMETERS:
            raise ValueError(f"Unknown parameter: {min(unknown)}; there are {', '.join(sorted(_PARAMETERS))}")
        if given.get("addressing", "path") not in {"path", "virtual"}:
            raise ValueError("addressing is path or virtual")
        if "region" in given and not _REGION.fullmatch(given["region"]):
            raise ValueError("The region may have lower-case letters, digits and hyphens")
        return cls(
            bucket=parts.netloc,
            prefix=prefix,
            endpoint=_server(given, "endpoint"),
            public_endpoint=_server(given, "public_endpoint"),
            region=given.get("region"),
            virtual=given.get("addressing") == "virtual",
        )


def _server(given: dict[str, str], name: str) -> str | None:
    if name not in given:
        return None
    parts = urlsplit(given[name])
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{name} needs to be an address such as https://s3.example.org")
    return given[name].rstrip("/")
