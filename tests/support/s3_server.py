"""A real S3 server of a test's own: moto's, over HTTP on loopback."""

import re
import secrets
import subprocess
import sys
from types import TracebackType
from typing import Final, Self

import requests
from darkroom_local import ports

from support.free_ports import free_port
from support.waiting import wait_for

KEYS: Final = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "no secret"}
"""The credentials it is asked with; it takes any."""
_PATIENCE: Final = 30.0


class S3Server:
    """A server of S3, as a context manager. It keeps what it is sent in memory.

    Args:
        host: the address it listens on.
    """

    def __init__(self, host: str = ports.HOST) -> None:
        self._host = host
        self._port = free_port()
        self.url = f"http://{host}:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", self._host, "-p", str(self._port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers, limit=_PATIENCE, what="the S3 server to answer")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()

    def make_bucket(self) -> str:
        """Make a bucket with nothing in it, and return its name."""
        bucket = f"bucket-{secrets.token_hex(4)}"
        requests.put(f"{self.url}/{bucket}", timeout=_PATIENCE).raise_for_status()
        return bucket

    def setting(self, bucket: str, prefix: str = "darkroom") -> str:
        """The setting that names the bucket."""
        return f"s3://{bucket}/{prefix}?endpoint={self.url}&region=us-east-1"

    def keys(self, bucket: str) -> list[str]:
        """The keys of all objects in a bucket."""
        return self._listed(bucket, "list-type=2")

    def unfinished(self, bucket: str) -> list[str]:
        """The keys of all uploads in parts that have not come to an end."""
        return self._listed(bucket, "uploads")

    def _listed(self, bucket: str, what: str) -> list[str]:
        answer = requests.get(f"{self.url}/{bucket}?{what}", timeout=_PATIENCE)
        answer.raise_for_status()
        return re.findall(r"<Key>(.*?)</Key>", answer.text)

    def _answers(self) -> bool:
        try:
            return requests.get(self.url, timeout=1).ok
        except requests.RequestException:
            return False
