"""What the API works with: made once by the factory, held by the application, and handed to whatever needs it."""

from dataclasses import dataclass
from functools import partial
from typing import cast
from urllib.parse import urljoin

from celery import Celery
from darkroom_records.blobs import BlobStorage
from darkroom_records.control import ControlStore
from darkroom_records.groups import GroupStore
from darkroom_records.links import Links
from darkroom_records.mail_limits import MailLimits
from darkroom_records.outbox import EmailSender, Outbox
from darkroom_records.storage import make_storage
from darkroom_records.subscribers import Subscribers
from darkroom_records.task_store import TaskStore
from darkroom_records.uploads import UploadStore
from darkroom_records.webhooks import WebhookStore
from darkroom_runtime.redis_client import connect
from darkroom_runtime.sending import try_send
from flask import Flask, current_app
from redis import Redis

from darkroom_api.groups.changes import Changes
from darkroom_api.groups.feeds import Feeds
from darkroom_api.groups.presets import Presets, read_presets
from darkroom_api.groups.responses import GroupStatus
from darkroom_api.http.paths import Paths
from darkroom_api.settings import ApiSettings
from darkroom_api.uploads.disk_space import DiskSpace

_NAME = "darkroom"


@dataclass(frozen=True, slots=True)
class Services:
    """What views and plain functions get to work with."""

    settings: ApiSettings
    celery: Celery
    redis: Redis
    groups: GroupStore
    uploads: UploadStore
    webhooks: WebhookStore
    tasks: TaskStore
    control: ControlStore
    storage: BlobStorage
    disk: DiskSpace
    outbox: Outbox
    emails: EmailSender
    subscribers: Subscribers
    changes: Changes
    feeds: Feeds
    paths: Paths
    presets: Presets

    @classmethod
    def of(cls, settings: ApiSettings, celery: Celery) -> "Services":
        """Make them by these settings. Nothing is connected before it is used."""
        redis = connect(settings, retries=1)
        groups = GroupStore(redis)
        outbox = Outbox(redis, MailLimits(settings))
        paths = Paths(settings.public_path)
        changes = Changes(connect(settings, retries=1), limit=settings.max_streams)
        return cls(
            settings=settings,
            celery=celery,
            redis=redis,
            groups=groups,
            uploads=UploadStore(redis),
            webhooks=WebhookStore(redis),
            tasks=TaskStore(redis),
            control=ControlStore(redis),
            storage=make_storage(settings, must_exist=False),
            disk=DiskSpace(settings.storage_dir, settings.min_free_space),
            outbox=outbox,
            emails=EmailSender(outbox, partial(try_send, celery)),
            subscribers=Subscribers(redis),
            changes=changes,
            feeds=Feeds(
                groups,
                changes,
                partial(GroupStatus.of, paths=paths, keep_results=settings.keep_results),
                limit=settings.max_streams,
            ),
            paths=paths,
            presets=read_presets(settings.presets, settings.key_names),
        )

    @property
    def links(self) -> Links:
        """What makes and reads the links in emails. Their key may be kept in Redis, so it is read each time."""
        return Links(self.settings, self.redis)

    @property
    def results_origin(self) -> str | None:
        """The server that clients are sent to for results, where that is another one."""
        address = self.storage.direct_url("groups", headers={}, seconds=1) if self.settings.storage_redirect else None
        return address and urljoin(address, "/").rstrip("/")

    def close(self) -> None:
        """Let go of what is connected, and of whoever waits for a change."""
        self.changes.close()
        self.redis.close()
        self.celery.close()


def init_services(app: Flask, settings: ApiSettings) -> Services:
    """Make what this application works with."""
    made = app.extensions[_NAME] = Services.of(settings, app.extensions["celery"])
    return made


def services() -> Services:
    """Return what the application of this request works with."""
    return cast("Services", current_app.extensions[_NAME])
