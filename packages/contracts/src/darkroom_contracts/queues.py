"""The queues of the system, and which task travels on which."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Queue(StrEnum):
    """A named Celery queue. Each is consumed by the service that owns its tasks."""

    IMAGES = "images"
    MAIL = "mail"
    MAINTENANCE = "maintenance"


class Task(StrEnum):
    """A task's name, as it is registered by its owner and sent by everyone else."""

    PROCESS_IMAGE = "images.process"
    RECOVER_GROUPS = "maintenance.recover_groups"
    EXPIRE_GROUPS = "maintenance.expire_groups"
    REFRESH_CONTROL = "maintenance.refresh_control"
    ADD = "diagnostics.add"
    COUNT = "diagnostics.count"
    SEND_MAIL = "mail.send"
    SEND_DUE_MAIL = "mail.send_due"
    SEND_RESULTS = "mail.send_results"
    CONFIRM_SUBSCRIPTION = "mail.confirm_subscription"
    SEND_NEWSLETTER = "mail.send_newsletter"


QUEUE_OF: Mapping[Task, Queue] = MappingProxyType(
    {
        Task.PROCESS_IMAGE: Queue.IMAGES,
        Task.RECOVER_GROUPS: Queue.MAINTENANCE,
        Task.EXPIRE_GROUPS: Queue.MAINTENANCE,
        Task.REFRESH_CONTROL: Queue.MAINTENANCE,
        Task.ADD: Queue.MAINTENANCE,
        Task.COUNT: Queue.MAINTENANCE,
        Task.SEND_MAIL: Queue.MAIL,
        Task.SEND_DUE_MAIL: Queue.MAIL,
        Task.SEND_RESULTS: Queue.MAIL,
        Task.CONFIRM_SUBSCRIPTION: Queue.MAIL,
        Task.SEND_NEWSLETTER: Queue.MAIL,
    }
)
"""The queue each task is sent to."""

ROUTINE = frozenset({Task.RECOVER_GROUPS, Task.EXPIRE_GROUPS, Task.REFRESH_CONTROL, Task.SEND_DUE_MAIL})
"""Tasks that the scheduler sends all day, whether or not there is anything to do."""
