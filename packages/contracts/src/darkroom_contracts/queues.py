"""The queues of the system."""

from enum import StrEnum


class Queue(StrEnum):
    """A named Celery queue. Each is consumed by the one service that owns its tasks."""

    IMAGES = "images"
    MAIL = "mail"
    MAINTENANCE = "maintenance"
    OUTBOUND = "outbound"
