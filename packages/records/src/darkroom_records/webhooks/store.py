"""The webhooks of groups on Redis: every step is one atomic script, and doing it twice is the same as doing it once.

A webhook is written down in the very step that ends its group or image, so none is forgotten. Whoever claims it
delivers it. A claim belongs to a worker and lasts while that worker's heartbeat does; what a dead worker was sending is
claimed again. So a webhook may arrive twice, always under the same id, and never from two workers at once.
"""

import time
from dataclasses import dataclass
from typing import cast

from darkroom_contracts.states import WebhookState
from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.groups import GroupRunningError, UnknownGroupError
from darkroom_records.groups.lua import GroupScript
from darkroom_records.steps import Step
from darkroom_records.webhooks.records import Delivery, NoWebhookError, PendingWebhook, Result, read_delivery

PATIENCE = 10
"""Seconds that a webhook's message has to be taken before another one is sent."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """The webhooks that have not ended: how many there are, and for how many seconds one has waited in vain at most."""

    waiting: int
    overdue: float


class WebhookStore:
    """Reads and changes what became of webhooks. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._claim = GroupScript(redis, "webhook", "claim_webhook")
        self._settle = GroupScript(redis, "settle_webhook")
        self._resend = GroupScript(redis, "resend_webhook")
        self._due = Step(redis, "darkroom_records.outbox", "due")

    def claim(
        self, group_id: str, *, run: int = -1, index: int = -1, worker: str, max_duration: float
    ) -> Delivery | None:
        """Take a webhook to deliver it.

        Args:
            group_id: the group.
            run: whose end it tells of. -1 is the latest one.
            index: the image that it tells of. -1 is the group itself.
            worker: the name under which this worker keeps its heartbeat.
            max_duration: seconds after which even a living worker has certainly stopped delivering a webhook.

        Returns:
            What is to be delivered, or None where there is nothing to do: it has ended, is unknown or not due, or
            another living worker has it.
        """
        claimed = self._claim(group_id, run, index, worker, max_duration)
        return read_delivery(group_id, claimed) if claimed else None

    def settle(self, delivery: Delivery, result: Result) -> bool:
        """Write down what an attempt came to. False if another one has begun since, and nothing was changed."""
        return self._settled(delivery, result, was_attempt=True)

    def release(self, delivery: Delivery, *, seconds: float) -> bool:
        """Let a webhook wait, as if this attempt had not been. False as in ``settle``."""
        return self._settled(delivery, Result(WebhookState.PENDING, wait=seconds), was_attempt=False)

    def resend(self, group_id: str) -> None:
        """Let the webhook of a group's latest end be delivered again, under the same id.

        Raises:
            UnknownGroupError: there is no such group.
            GroupRunningError: it has not ended.
            NoWebhookError: it has no webhook.
        """
        answer = self._resend(group_id)
        if answer is None:
            raise UnknownGroupError(f"There is no group {group_id}.")
        if answer == 2:
            raise GroupRunningError(f"The group {group_id} has not ended yet.")
        if not answer:
            raise NoWebhookError(f"The group {group_id} has no webhook.")

    def due(self, limit: int) -> list[PendingWebhook]:
        """Webhooks that a message must be sent for, at most so many; each once in ``PATIENCE`` seconds."""
        return [PendingWebhook.of(member) for member in self._due([keys.DUE_WEBHOOKS], [limit, PATIENCE])]

    def backlog(self) -> Backlog:
        """How many webhooks are still to be delivered, and whether one waits in vain."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.zcard(keys.DUE_WEBHOOKS)
            pipe.zrange(keys.DUE_WEBHOOKS, 0, 0, withscores=True)
            waiting, first = pipe.execute()
        return Backlog(int(waiting), max(0.0, time.time() - first[0][1]) if first else 0.0)

    def _settled(self, delivery: Delivery, result: Result, *, was_attempt: bool) -> bool:
        return (
            cast(
                "int",
                self._settle(
                    delivery.group_id,
                    delivery.name,
                    delivery.claim,
                    result.state,
                    result.error or "",
                    result.code or "",
                    result.wait,
                    int(was_attempt),
                ),
            )
            == 1
        )
