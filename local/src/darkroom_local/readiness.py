"""Health checks of the programs of a local system."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException

from celery import Celery
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.redis_client import UNAVAILABLE
from darkroom_runtime.settings import Settings
from kombu.exceptions import OperationalError
from pydantic import RedisDsn

from darkroom_local.ports import HOST
from darkroom_local.programs import Health, Module, Node, Page, Port, Redis
from darkroom_local.redis_server import serving_process

_PATIENCE = 2.0
"""Seconds to wait for one answer."""


class Readiness:
    """Checks the health of programs.

    Args:
        redis_url: where they find each other.
    """

    def __init__(self, redis_url: str) -> None:
        settings = Settings(redis_url=RedisDsn(redis_url), redis_password=None)
        self._celery = make_celery("local", publisher(settings))
        self._redis_url = redis_url

    def is_healthy(self, health: Health) -> bool:
        """Return whether a program passes this check."""
        match health:
            case Page(port, path):
                return _is_well(port, path)
            case Node(name):
                return _answers(self._celery, name)
            case Module(command):
                return _succeeds(command, self._redis_url)
            case Port(port):
                return _accepts(port)
            case Redis(port):
                return serving_process(port) is not None


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=_PATIENCE).close()
    except OSError:
        return False
    return True


def _is_well(port: int, path: str) -> bool:
    connection = HTTPConnection(HOST, port, timeout=_PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _succeeds(module: Sequence[str], redis_url: str) -> bool:
    given = os.environ | {"DARKROOM_REDIS_URL": redis_url, "DARKROOM_REDIS_PASSWORD": ""}
    return subprocess.run([sys.executable, "-m", *module], env=given, capture_output=True, check=False).returncode == 0


def _answers(celery: Celery, node: str) -> bool:
    try:
        return bool(celery.control.ping(destination=[node], timeout=_PATIENCE, limit=1))
    except (OperationalError, *UNAVAILABLE):  # the latter over a connection that Redis has closed meanwhile
        return False
