"""How gunicorn runs the API: ``gunicorn --config python:darkroom_api.gunicorn_config darkroom_api.wsgi:app``."""

import os
import shutil
import signal
import socket
import tempfile
from pathlib import Path
from types import FrameType
from typing import Any

from darkroom_runtime import allocator
from darkroom_runtime.logs import take_over_process
from darkroom_runtime.settings import load

from darkroom_api.serving.budget import Budget
from darkroom_api.serving.limits import raise_descriptor_limit
from darkroom_api.settings import ApiSettings

_settings = load(ApiSettings)
take_over_process(_settings, "api")

# Where the workers add their counts up. It must be known before prometheus_client is first imported.
_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_own_folder = _METRICS not in os.environ
if _own_folder:
    os.environ[_METRICS] = tempfile.mkdtemp(prefix="darkroom-metrics-")

SEND_BUFFER = 256 * 1024
"""Bytes of an answer that the kernel holds for each client. Left to itself, it would hold megabytes."""
STALLED = 60
"""Seconds after which a client is given up that does not even acknowledge what is sent to it."""

raise_descriptor_limit()
allocator.set_thresholds(mapped=1024 * 1024, kept=2 * 1024 * 1024)  # or each thread would keep a large body's memory

bind = [f"{_settings.api_host}:{_settings.api_port}"]
workers = _settings.api_workers
worker_class = "darkroom_api.serving.worker.Worker"
threads = _settings.api_threads
worker_connections = _settings.max_connections
timeout = 60
graceful_timeout = 25
keepalive = 15
logger_class = "darkroom_api.gunicorn_logs.StructuredLogger"
accesslog = None  # the application logs requests itself, with their ids
control_socket_disable = True  # it would want a home directory that can be written to
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a heartbeat must not wait for a disk

_memory = Budget(  # while workers are replaced, there are twice as many
    _settings.json_memory, processes=2 * workers + 8, patience=_settings.json_wait + 5
)


def pre_fork(_server: Any, worker: Any) -> None:
    """Let all workers share the memory for large bodies."""
    worker.memory = _memory


def when_ready(server: Any) -> None:
    """Hold little for clients that do not read, and break off with those that are gone. Connections take this over."""
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # not on macOS
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED * 1000)


def post_worker_init(worker: Any) -> None:
    """On SIGTERM, answer those who wait for a change, so that the worker can end."""
    changes = worker.wsgi.extensions["darkroom"].changes
    leave = signal.getsignal(signal.SIGTERM)

    def handle(number: int, frame: FrameType | None) -> None:
        changes.close()
        if callable(leave):
            leave(number, frame)

    signal.signal(signal.SIGTERM, handle)


def child_exit(_server: Any, worker: Any) -> None:
    """Take back what the worker had: its part of the memory, and what it had open in the metrics."""
    _memory.forget(worker.pid)
    from prometheus_client import multiprocess  # not before the folder is named

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # as prometheus_client has it


def on_exit(_server: Any) -> None:
    """Remove the folder of the metrics if it is our own."""
    if _own_folder:
        shutil.rmtree(os.environ[_METRICS], ignore_errors=True)
