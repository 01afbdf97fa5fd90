"""A real Caddy in front of a server of this machine, in a container."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from support.waiting import wait_for

_COMMAND = ["docker", "run", "--rm", "--interactive", "--network=host", "caddy:2"]
_COMMAND += ["caddy", "run", "--adapter=caddyfile", "--config=-"]
_OPTIONS = "{\n\tadmin off\n\tauto_https off\n}\n"


@contextmanager
def caddy(sites: str, url: str) -> Iterator[None]:
    """Run Caddy with these sites until the block ends.

    Args:
        sites: as a Caddyfile has them.
        url: where one of them answers once it runs.
    """
    with subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin
        process.stdin.write(_OPTIONS + sites)
        process.stdin.close()

        def answers() -> bool:
            assert process.poll() is None, "Caddy ended while it was starting"
            try:
                return requests.get(url, timeout=5).ok
            except (requests.ConnectionError, requests.Timeout):
                return False

        try:
            wait_for(answers, limit=60, what="Caddy to start")
            yield
        finally:
            process.terminate()
