"""What the API rests on, held by the application under ``app.extensions``."""

from functools import partial
from typing import cast

from celery import Celery
from darkroom_records.blobs import BlobStorage, LocalBlobStorage
from darkroom_records.groups import GroupStore
from darkroom_records.links import Links
from darkroom_records.mail_limits import MailLimits
from darkroom_records.outbox import Outbox, Post
from darkroom_records.subscribers import Subscribers
from darkroom_records.task_store import TaskStore
from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.redis_client import connect
from darkroom_runtime.sending import try_send
from flask import Flask, current_app
from redis import Redis

from darkroom_api.groups.changes import Changes
from darkroom_api.groups.feeds import Feeds
from darkroom_api.settings import ApiSettings


def init_settings(app: Flask, settings: ApiSettings) -> None:
    """Hold the settings, and tell Flask what it needs of them."""
    app.extensions["settings"] = settings
    app.url_map.merge_slashes = False  # it would answer with a redirect to whatever host the client names
    app.config["CELERY"] = publisher(settings)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.config["MAX_FORM_PARTS"] = settings.max_images + 20  # the images, and room for every other member


def init_celery(app: Flask) -> None:
    """Set Celery up from the application's configuration. It only ever publishes."""
    app.extensions["celery"] = make_celery(app.import_name, app.config["CELERY"])


def init_stores(app: Flask, settings: ApiSettings) -> None:
    """Hold the stores, and what hears of their changes. Nothing is connected before the first request."""
    redis = connect(settings, retries=1)
    app.extensions["redis"] = redis
    app.extensions["groups"] = groups = GroupStore(redis)
    app.extensions["task_store"] = TaskStore(redis)
    app.extensions["storage"] = LocalBlobStorage(settings.storage_dir)
    app.extensions["changes"] = changes = Changes(connect(settings, retries=1), most=settings.max_streams)
    app.extensions["feeds"] = Feeds(groups, changes, most=settings.max_streams)


def init_mail(app: Flask, settings: ApiSettings) -> None:
    """Hold what takes mails in, as many as the settings allow."""
    app.extensions["outbox"] = Outbox(app.extensions["redis"], MailLimits(settings))


def settings() -> ApiSettings:
    return cast("ApiSettings", current_app.extensions["settings"])


def celery() -> Celery:
    return cast("Celery", current_app.extensions["celery"])


def redis() -> Redis:
    return cast("Redis", current_app.extensions["redis"])


def groups() -> GroupStore:
    return cast("GroupStore", current_app.extensions["groups"])


def storage() -> BlobStorage:
    return cast("BlobStorage", current_app.extensions["storage"])


def changes() -> Changes:
    return cast("Changes", current_app.extensions["changes"])


def feeds() -> Feeds:
    return cast("Feeds", current_app.extensions["feeds"])


def task_store() -> TaskStore:
    return cast("TaskStore", current_app.extensions["task_store"])


def outbox() -> Outbox:
    return cast("Outbox", current_app.extensions["outbox"])


def post() -> Post:
    return Post(outbox(), partial(try_send, celery()))


def subscribers() -> Subscribers:
    return Subscribers(redis())


def mail_links() -> Links:
    return Links(settings(), redis())
