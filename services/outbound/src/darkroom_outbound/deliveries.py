"""Deliveries of webhooks, from the message that asks for one to what the record says. Independent of Celery."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import structlog
from darkroom_contracts.messages import DeliverWebhook, Message
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import WebhookState
from darkroom_records.webhooks import Delivery as Claimed
from darkroom_records.webhooks import Result as Recorded
from darkroom_records.webhooks import WebhookStore
from darkroom_runtime import logs
from darkroom_runtime.redis_client import insist

from darkroom_outbound.client import Client
from darkroom_outbound.delivering import SCHEDULE, Delivery, Outcome, Result, deliver
from darkroom_outbound.errors import HostBusyError
from darkroom_outbound.payloads import payload

BATCH = 200
"""The most webhooks that are found to be due at one time."""

Answer = TypeVar("Answer")

_STATES = {
    Outcome.DELIVERED: WebhookState.DELIVERED,
    Outcome.RETRY: WebhookState.PENDING,
    Outcome.GONE: WebhookState.DISABLED,
    Outcome.FAILED: WebhookState.FAILED,
}
_log = structlog.get_logger(__name__)


class Sender(Protocol):
    """Sends a message. One that is lost is sent again by whoever looks through the records."""

    def __call__(self, message: Message, *, countdown: float = 0) -> None: ...


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Deliver webhooks, and record what became of each, whatever happens. Shared by threads.

    Args:
        webhooks: the records.
        client: sends requests.
        keys: sign them.
        send: sends messages.
        worker: the name under which this process keeps its heartbeat.
        base: what links to the API begin with.
        timeout: seconds for one attempt.
        max_duration: seconds after which an attempt is certainly over.
    """

    webhooks: WebhookStore
    client: Client
    keys: Sequence[bytes]
    send: Sender
    worker: str
    base: str
    timeout: float
    max_duration: float

    def run(self, group_id: str, run: int, index: int) -> None:
        """Deliver a webhook, if the record says so.

        Args:
            group_id: the group.
            run: whose end it tells of. -1 is the latest one.
            index: the image that it tells of. -1 is the group itself.
        """
        claimed = self._insist(
            lambda: self.webhooks.claim(
                group_id, run=run, index=index, worker=self.worker, max_duration=self.max_duration
            )
        )
        if claimed is None:
            _log.info("webhook_skipped", group_id=group_id, index=index)
            return
        with logs.bind_request_id(claimed.request_id):
            try:
                result = self._attempt(claimed)
            except HostBusyError as error:
                wait = error.wait
                if self._insist(lambda: self.webhooks.release(claimed, seconds=wait)):
                    self.send(DeliverWebhook(group_id, run, index), countdown=wait)
            else:
                self._settle(claimed, result)

    def run_due(self) -> None:
        """Send messages for what is due and has none: webhooks to be tried again, and those whose message was lost."""
        for due in self.webhooks.due(BATCH):
            self.send(DeliverWebhook(due.group_id, due.run, due.index))

    def _attempt(self, claimed: Claimed) -> Result:
        if not self.keys:
            return Result(Outcome.FAILED, error="Webhooks are disabled: DARKROOM_WEBHOOK_SECRET is not set.")
        if claimed.attempt > len(SCHEDULE) + 1:  # it has stopped its worker again and again
            return Result(Outcome.FAILED, error="Delivering the webhook was interrupted too often.")
        try:
            delivery = Delivery(claimed.webhook_id, claimed.url, payload(claimed, self.base), claimed.attempt)
            return deliver(delivery, client=self.client, keys=self.keys, seconds=self.timeout)
        except HostBusyError:
            raise
        except Exception:  # noqa: BLE001  # the last resort: else it would be tried again at once, and for ever
            _log.exception("webhook_failed_unexpectedly", group_id=claimed.group_id, webhook=claimed.webhook_id)
            error = "Delivering the webhook failed unexpectedly."
            return Result(Outcome.FAILED, error=error, code=ProblemCode.INTERNAL_ERROR)

    def _settle(self, claimed: Claimed, result: Result) -> None:
        outcome = Recorded(_STATES[result.outcome], result.error, result.code, result.wait)
        if not self._insist(lambda: self.webhooks.settle(claimed, outcome)):
            return
        _log.info(
            "webhook_attempted",
            group_id=claimed.group_id,
            webhook=claimed.webhook_id,
            attempt=claimed.attempt,
            state=outcome.state,
            status=result.status,
            reason=result.error,
        )

    def _insist(self, call: Callable[[], Answer]) -> Answer:
        """Call the store, again and again while Redis is full or read-only."""
        return insist(call, seconds=self.timeout)
