"""A snapshot of workers and queues, taken from heartbeats and queue lengths, so that it costs no worker anything and
shows those too that are too busy to answer a question."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TypedDict, cast

from darkroom_contracts.queues import Queue
from darkroom_runtime.queues import queue_length
from darkroom_runtime.workers import living_workers
from redis import Redis

from darkroom_records import _keys as keys
from darkroom_records.groups.backlog import Backlog, longest_waiting

MAX_AGE = 10.0
"""Seconds for which a snapshot is good enough; it is never taken more often."""

_PATIENCE = 1.0
"""Seconds to wait for the new snapshot of another caller, who may be gone."""
_POLL = 0.02


class WorkerSnapshot(TypedDict):
    """A worker that is alive, and the tasks it runs, holds ready, and holds for later."""

    name: str
    queues: list[str]
    concurrency: int
    active: int
    reserved: int
    scheduled: int


class QueueSnapshot(TypedDict):
    """A queue: messages in it, what waits (images do so without a message until their turn), living workers that watch
    it, and for how long whatever waits longest has."""

    name: str
    length: int
    waiting: int
    consumers: int
    oldest_seconds: float | None


class Snapshot(TypedDict):
    """Everything at one moment (Unix seconds)."""

    as_of: float
    workers: list[WorkerSnapshot]
    queues: list[QueueSnapshot]
    totals: dict[str, int]


class ControlStore:
    """Takes the snapshot and keeps it for everyone. Safe to share between threads."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def refresh(self) -> Snapshot:
        """Take a new snapshot and keep it."""
        snapshot = self._take()
        self._redis.set(keys.CONTROL, json.dumps(snapshot))
        return snapshot

    def latest(self) -> Snapshot:
        """The snapshot that is kept; where it is too old, or there is none, one caller of all takes a new one."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            kept = cast("str | None", self._redis.get(keys.CONTROL))
            snapshot: Snapshot | None = json.loads(kept) if kept else None
            if snapshot and time.time() - snapshot["as_of"] <= MAX_AGE:
                return snapshot
            is_ours = self._redis.set(keys.CONTROL_TAKEN, "", nx=True, px=int(MAX_AGE * 1000))
            if is_ours or time.monotonic() > deadline:
                return self.refresh()
            time.sleep(_POLL)

    def _take(self) -> Snapshot:
        workers = _workers(self._redis)
        queues = [_queue(self._redis, queue, workers) for queue in Queue]
        return {
            "as_of": time.time(),
            "workers": workers,
            "queues": queues,
            "totals": {
                "workers": len(workers),
                "concurrency": sum(worker["concurrency"] for worker in workers),
                "active": sum(worker["active"] for worker in workers),
                "reserved": sum(worker["reserved"] for worker in workers),
                "scheduled": sum(worker["scheduled"] for worker in workers),
                "waiting": sum(queue["waiting"] for queue in queues),
                "running_groups": self._redis.zcard(keys.RUNNING_GROUPS),
            },
        }


def _workers(redis: Redis) -> list[WorkerSnapshot]:
    alive = map(asdict, living_workers(redis))
    return [cast("WorkerSnapshot", {"name": facts.pop("node")} | facts) for facts in alive]


def _queue(redis: Redis, queue: Queue, workers: Sequence[WorkerSnapshot]) -> QueueSnapshot:
    since = longest_waiting(redis, queue)
    length = queue_length(redis, queue)
    return {
        "name": queue.value,
        "length": length,
        "waiting": max(length, Backlog.read(redis).total) if queue is Queue.IMAGES else length,
        "consumers": sum(queue.value in worker["queues"] for worker in workers),
        "oldest_seconds": round(max(time.time() - since, 0), 3) if since else None,
    }
