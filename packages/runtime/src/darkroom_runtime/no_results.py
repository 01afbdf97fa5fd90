"""Celery's result backend, which we do not use."""

from celery import states
from celery.backends.base import DisabledBackend


class NoResults(DisabledBackend):
    """Stores no results, and is asked for them in vain without an exception: state lives in the records.

    A worker asks for a task's state whenever it revokes one, and otherwise warns that there is no backend.
    """

    def get_state(self, task_id: str) -> str:  # noqa: ARG002 - it knows none
        return states.PENDING
