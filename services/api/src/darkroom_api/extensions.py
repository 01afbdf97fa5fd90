"""Single services of the current application."""

from celery import Celery
from darkroom_records.blobs import BlobStorage
from darkroom_records.groups import GroupStore
from darkroom_records.outbox import Outbox
from redis import Redis

from darkroom_api.services import services


def celery() -> Celery:
    return services().celery


def redis() -> Redis:
    return services().redis


def groups() -> GroupStore:
    return services().groups


def storage() -> BlobStorage:
    return services().storage


def outbox() -> Outbox:
    return services().outbox
