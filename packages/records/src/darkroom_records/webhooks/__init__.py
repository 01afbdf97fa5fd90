"""Webhooks: what is told of a group's end and of its images', and the one place that changes what became of each."""

from darkroom_records.webhooks.records import (
    Delivery,
    GroupEnded,
    ImageEnded,
    NoWebhookError,
    PendingWebhook,
    Result,
)
from darkroom_records.webhooks.settings import WebhookSettings, parse_secret
from darkroom_records.webhooks.store import WebhookStore

__all__ = [
    "Delivery",
    "GroupEnded",
    "ImageEnded",
    "NoWebhookError",
    "PendingWebhook",
    "Result",
    "WebhookSettings",
    "WebhookStore",
    "parse_secret",
]
