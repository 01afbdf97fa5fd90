"""What is counted, for Prometheus."""

import os
import time
from collections.abc import Iterator

from darkroom_contracts.queues import Queue
from darkroom_records.groups.backlog import Backlog, longest_waiting
from darkroom_records.webhooks import WebhookStore
from darkroom_runtime.queues import queue_length
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector
from redis import Redis
from redis.exceptions import RedisError

from darkroom_api.uploads.disk_space import DiskSpace

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder in which the processes of one server add up their counts."""

IMAGES_TAKEN = Counter("darkroom_images_taken", "Images that were taken in and sent to the queue.")
_SECONDS = Histogram(
    "darkroom_http_request_seconds", "Time from a request's headers to its answer's.", ["method", "route", "status"]
)
_OPEN = Gauge("darkroom_http_requests_open", "Requests being answered.", multiprocess_mode="livesum")


def init_metrics(app: Flask) -> None:
    """Measure every request."""
    app.before_request(_begin)
    app.after_request(_measure)
    app.teardown_request(_end)


def exposition(redis: Redis, disk: DiskSpace) -> bytes:
    """The counts of all processes of this server, how the queues stand, and how the disk is filled."""
    queues = CollectorRegistry()
    queues.register(DiskCollector(disk))
    queues.register(QueueCollector(redis))
    if DIRECTORY not in os.environ:
        return generate_latest(REGISTRY) + generate_latest(queues)
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # as prometheus_client has it
    return generate_latest(together) + generate_latest(queues)


class DiskCollector(Collector):
    """How much of the disk is free, and how much stays free. Neither while it is away."""

    def __init__(self, disk: DiskSpace) -> None:
        self._disk = disk

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            space = self._disk.measure()
        except OSError:
            return
        yield GaugeMetricFamily("darkroom_disk_free_bytes", "Free space of the disk.", value=float(space.free))
        yield GaugeMetricFamily(
            "darkroom_disk_min_free_bytes",
            "Below so much free space, images are refused with 507.",
            value=float(space.minimum),
        )


class QueueCollector(Collector):
    """Whether Redis answers, and how many messages wait in each queue, and for how long the next one has."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            queues = self._queues()
        except RedisError:
            queues = []
        yield GaugeMetricFamily("darkroom_redis_up", "Whether Redis answers.", value=float(bool(queues)))
        yield from queues

    def _queues(self) -> list[GaugeMetricFamily]:
        length = GaugeMetricFamily("darkroom_queue_length", "Messages that wait for a worker.", labels=["queue"])
        age = GaugeMetricFamily(
            "darkroom_queue_oldest_waiting_seconds",
            "For how long whatever waits longest has.",
            labels=["queue"],
        )
        for queue in Queue:
            length.add_metric([queue.value], float(queue_length(self._redis, queue)))
            since = longest_waiting(self._redis, queue)
            if since is None or since > 0:  # not every message says since when it waits
                age.add_metric([queue.value], max(0.0, time.time() - since) if since else 0.0)
        images = GaugeMetricFamily(
            "darkroom_images_waiting",
            "Images that wait to be processed, with or without a message.",
            value=float(Backlog.read(self._redis).total),
        )
        backlog = WebhookStore(self._redis).backlog()
        webhooks = GaugeMetricFamily(
            "darkroom_webhooks_pending", "Webhooks that are still to be delivered.", value=float(backlog.waiting)
        )
        overdue = GaugeMetricFamily(
            "darkroom_webhooks_overdue_seconds",
            "How long the webhook that waits longest has been due without being sent.",
            value=backlog.overdue,
        )
        return [length, age, images, webhooks, overdue]


def _begin() -> None:
    g.began = time.perf_counter()
    _OPEN.inc()


def _measure(response: Response) -> Response:
    route = request.url_rule.rule if request.url_rule else "none"
    _SECONDS.labels(request.method, route, response.status_code).observe(time.perf_counter() - g.began)
    return response


def _end(_error: BaseException | None) -> None:
    _OPEN.dec()
