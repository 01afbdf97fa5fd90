"""The messages that services send each other: of each task its name, its queue and its arguments.

The arguments travel in the order of the fields. A message may be read by the version before and after, so what is here
is only added to, and a new field has a default (docs/adr/0006-records-outlive-versions.md).
"""

from dataclasses import dataclass
from typing import ClassVar

from darkroom_contracts.ids import celery_id, task_id
from darkroom_contracts.queues import Queue


@dataclass(frozen=True, slots=True)
class Message:
    """Asks the service that consumes a queue to run one of its tasks."""

    name: ClassVar[str]
    queue: ClassVar[Queue]

    @property
    def task_id(self) -> str | None:
        """The id of its Celery task, where that follows from what it is about."""
        return None


@dataclass(frozen=True, slots=True)
class ProcessImage(Message):
    """An image waits to be processed."""

    name = "images.process"
    queue = Queue.IMAGES
    group_id: str
    index: int

    @property
    def task_id(self) -> str:
        return celery_id(task_id(self.group_id, self.index))


@dataclass(frozen=True, slots=True)
class FetchImage(Message):
    """The original of an image waits to be fetched from its URL."""

    name = "outbound.fetch"
    queue = Queue.OUTBOUND
    group_id: str
    index: int

    @property
    def task_id(self) -> str:
        return f"{celery_id(task_id(self.group_id, self.index))}.fetch"  # not that of processing, which can be killed


@dataclass(frozen=True, slots=True)
class RecoverGroups(Message):
    """Images may have been lost with a worker or with a message."""

    name = "maintenance.recover_groups"
    queue = Queue.MAINTENANCE


@dataclass(frozen=True, slots=True)
class ExpireGroups(Message):
    """Groups may have been kept for long enough."""

    name = "maintenance.expire_groups"
    queue = Queue.MAINTENANCE


@dataclass(frozen=True, slots=True)
class SweepUnfinished(Message):
    """Intakes and deletions may have been begun by somebody who is gone."""

    name = "maintenance.sweep_unfinished"
    queue = Queue.MAINTENANCE


@dataclass(frozen=True, slots=True)
class DeliverWebhook(Message):
    """A webhook that tells of a group's end, or of an image's, is due."""

    name = "outbound.deliver_webhook"
    queue = Queue.OUTBOUND
    group_id: str
    run: int = -1
    """Whose end it tells of: how often the group had been run again. -1 is the latest one."""
    index: int = -1
    """The image that it tells of. -1 is the group itself."""

    @property
    def task_id(self) -> str:
        return celery_id(f"{self.group_id}.webhook.{self.run}.{self.index}")


@dataclass(frozen=True, slots=True)
class DeliverDueWebhooks(Message):
    """Webhooks may be due that have no message of their own."""

    name = "outbound.deliver_due_webhooks"
    queue = Queue.OUTBOUND


@dataclass(frozen=True, slots=True)
class Add(Message):
    """Asks for the sum of two integers: the smallest round trip through a queue."""

    name = "diagnostics.add"
    queue = Queue.MAINTENANCE
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class Count(Message):
    """Asks to count up to a total: a task whose progress can be watched."""

    name = "diagnostics.count"
    queue = Queue.MAINTENANCE
    total: int


@dataclass(frozen=True, slots=True)
class SendEmail(Message):
    """An email of the outbox is due."""

    name = "mail.send"
    queue = Queue.MAIL
    email_id: str

    @property
    def task_id(self) -> str:
        return celery_id(self.email_id)


@dataclass(frozen=True, slots=True)
class SendDueEmails(Message):
    """Emails may be due that have no message of their own."""

    name = "mail.send_due"
    queue = Queue.MAIL


@dataclass(frozen=True, slots=True)
class SendResults(Message):
    """A group has ended whose results are to be emailed."""

    name = "mail.send_results"
    queue = Queue.MAIL
    group_id: str


@dataclass(frozen=True, slots=True)
class SendNewsletter(Message):
    """The newest issue of the newsletter is due, or has not gone to everybody yet."""

    name = "mail.send_newsletter"
    queue = Queue.MAIL


ROUTINE: tuple[type[Message], ...] = (RecoverGroups, ExpireGroups, SweepUnfinished, SendDueEmails, DeliverDueWebhooks)
"""What the scheduler sends all day, whether or not there is anything to do."""

MESSAGES: tuple[type[Message], ...] = (
    ProcessImage,
    FetchImage,
    DeliverWebhook,
    Add,
    Count,
    SendEmail,
    SendResults,
    SendNewsletter,
    *ROUTINE,
)
"""All messages there are."""
