"""The schedule: which task is sent when."""

from typing import Any

from celery.schedules import schedule
from darkroom_contracts.messages import (
    DeliverDueWebhooks,
    ExpireGroups,
    Message,
    RecoverGroups,
    SendDueEmails,
    SweepUnfinished,
)

from darkroom_scheduler.settings import SchedulerSettings

SWEEP_INTERVAL = 15.0
"""Seconds between sweeps of interrupted requests."""
WEBHOOK_INTERVAL = 5.0
"""Seconds between looks at the webhooks that are due: the first wait of their schedule."""


def entries(settings: SchedulerSettings) -> dict[str, dict[str, Any]]:
    """The entries of beat's schedule, by the names under which RedBeat keeps them."""
    return {
        "recover-groups": _every(settings.recovery_interval, RecoverGroups),
        "expire-groups": _every(settings.expiry_interval, ExpireGroups),
        "sweep-unfinished": _every(SWEEP_INTERVAL, SweepUnfinished),
        # Emails to retry, emails lost with a mailer, and the weekly newsletter: it looks at the calendar each time, so
        # a missed Monday is made up for once.
        "send-due-mail": _every(settings.mail_interval, SendDueEmails),
        # Webhooks to retry, and webhooks whose message was lost.
        "deliver-due-webhooks": _every(WEBHOOK_INTERVAL, DeliverDueWebhooks),
    }


def _every(seconds: float, message: type[Message]) -> dict[str, Any]:
    # A task that waited for longer than its interval is followed by the next one, so it need not run.
    return {"task": message.name, "schedule": schedule(run_every=seconds), "options": {"expires": seconds}}
