"""Whether each program of a local system does what it is there for, which is more than that it runs."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException

from celery import Celery
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.settings import Settings
from kombu.exceptions import OperationalError
from pydantic import RedisDsn

from darkroom_local.ports import HOST, Ports
from darkroom_local.programs import MAILER_NODE, MAINTENANCE_NODE, WORKER_NODE
from darkroom_local.redis_server import serving_process

_PATIENCE = 2.0
"""Seconds to wait for one answer."""

Check = Callable[[], bool]


def checks(ports: Ports, redis_url: str) -> dict[str, Check]:
    """What to ask each program, by its name."""
    settings = Settings(redis_url=RedisDsn(redis_url), redis_password=None)
    celery = make_celery("local", publisher(settings))
    return {
        "redis": lambda: serving_process(ports.redis) is not None,
        "inbox": lambda: _accepts(ports.smtp),
        "api": lambda: _is_well(ports.api, "/readyz"),
        "flower": lambda: _is_well(ports.flower, "/healthcheck"),
        "scheduler": lambda: _is_scheduled(redis_url),
        "worker": lambda: _answers(celery, WORKER_NODE),
        "maintenance": lambda: _answers(celery, MAINTENANCE_NODE),
        "mailer": lambda: _answers(celery, MAILER_NODE),
    }


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


def _is_scheduled(redis_url: str) -> bool:
    command = [sys.executable, "-m", "darkroom_scheduler.health", "--any"]
    given = os.environ | {"DARKROOM_REDIS_URL": redis_url, "DARKROOM_REDIS_PASSWORD": ""}
    return subprocess.run(command, env=given, capture_output=True, check=False).returncode == 0


def _answers(celery: Celery, node: str) -> bool:
    try:
        return bool(celery.control.ping(destination=[node], timeout=_PATIENCE, limit=1))
    except OperationalError:
        return False
