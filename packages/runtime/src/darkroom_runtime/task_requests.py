"""What a worker tells others of the tasks it has: in events, which Flower shows, and when it is asked."""

from typing import Any

from celery import Task
from celery.worker.request import Request

from darkroom_runtime.redaction import shorten_ids


class PrivateRequest(Request):
    """A task's message as its worker holds it. It shows arguments and errors with the secret ids in them shortened."""

    @property
    def argsrepr(self) -> str:
        return str(shorten_ids(super().argsrepr))

    @property
    def kwargsrepr(self) -> str:
        return str(shorten_ids(super().kwargsrepr))

    def info(self, safe: bool = False) -> Any:  # noqa: ARG002 - Flower asks for what is not safe
        return {**super().info(safe=True), "args": self.argsrepr, "kwargs": self.kwargsrepr}

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002 - Celery's name
        super().send_event(type, **shorten_ids(fields))


class PrivateTask(Task):  # type: ignore[type-arg]  # generic in its stubs only
    """A task of ours."""

    abstract = True
    Request = f"{PrivateRequest.__module__}:{PrivateRequest.__name__}"
