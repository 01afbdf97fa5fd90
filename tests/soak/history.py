"""What clients saw, kept for as long as the soak runs, and the promises that were broken."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

FINAL = {"succeeded", "failed", "cancelled", "expired"}
_MOST_SHOWN = 40


@dataclass
class Batch:
    """A group as its client knows it. One thread owns it.

    Attributes:
        originals: the SHA-256 of each image that was sent, or nothing for one that cannot be processed.
        pipeline: what was asked for, as text.
        runs: how often it was run: once, and once for each retry.
        may_have_been_retried: a retry was sent that was never answered.
        states: what was seen of each image last.
        digests: of the results that were read, by index.
    """

    group_id: str
    originals: list[str]
    pipeline: str
    accepted_at: float
    address: str = ""
    webhook: bool = False
    deadline: float | None = None
    runs: int = 1
    may_have_been_retried: bool = False
    cancelled: bool = False
    deleted: bool = False
    ended_after: float | None = None
    states: dict[int, str] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)


class History:
    """Shared by all threads of the soak."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.began = time.monotonic()
        self.batches: list[Batch] = []
        self.unanswered = 0
        self.broken: list[str] = []
        self.latencies: dict[str, list[float]] = defaultdict(list)
        self.answers: dict[str, int] = defaultdict(int)
        self.events: list[str] = []

    def accept(self, batch: Batch) -> None:
        """Note that a group was accepted."""
        with self._lock:
            self.batches.append(batch)

    def never_answered(self) -> None:
        """Note a request that was given up: nobody knows whether its group was taken in."""
        with self._lock:
            self.unanswered += 1

    def took(self, what: str, seconds: float, status: int) -> None:
        """Note how long a request took, and how it was answered."""
        with self._lock:
            self.answers[f"{status // 100}xx"] += 1
            if status < 500:
                self.latencies[what].append(seconds)

    def happened(self, event: str) -> None:
        """Note a fault that was injected."""
        with self._lock:
            self.events.append(event)
        print(f"{time.monotonic() - self.began:7.1f} s  {event}", flush=True)

    def broke(self, promise: str) -> None:
        """Note that a promise was broken."""
        with self._lock:
            self.broken.append(promise)
            if len(self.broken) <= _MOST_SHOWN:
                print(f"{time.monotonic() - self.began:7.1f} s  BROKEN: {promise}", flush=True)

    def must(self, holds: object, promise: str) -> None:
        """Note a broken promise where this is not so."""
        if not holds:
            self.broke(promise)

    def saw(self, batch: Batch, status: dict[str, Any]) -> None:
        """Check a status against all that was seen of the group before, and remember it."""
        group_id = batch.group_id
        images = status["images"]
        states = [image["state"] for image in images]
        counts = (status["completed"], status["failed"], status["cancelled"], status["expired"])
        told = tuple(states.count(state) for state in ("succeeded", "failed", "cancelled", "expired"))
        self.must(counts == told, f"{group_id}: counts {counts}, but states {told}")
        self.must(len(states) == len(batch.originals), f"{group_id}: {len(states)} of {len(batch.originals)} images")
        ended = all(state in FINAL for state in states)
        self.must(ended is (status["finished_at"] is not None), f"{group_id}: states {states}, {status['finished_at']}")
        for image in images:
            index, state = image["index"], image["state"]
            before = batch.states.get(index, state)
            if before in FINAL and before != state:
                was_retried = before == "failed" and batch.may_have_been_retried
                self.must(was_retried, f"{group_id}/{index}: {before} became {state}")
            if state == "failed" and batch.originals[index] and image["code"] != "worker_crashed":
                self.broke(f"{group_id}/{index}: failed, {image['code']}: {image['error']}")
            if state == "succeeded":
                self.must(batch.originals[index], f"{group_id}/{index}: what is no image succeeded")
            if state == "cancelled":
                self.must(batch.cancelled, f"{group_id}/{index}: cancelled by nobody")
            if state == "expired":
                self.must(batch.deadline, f"{group_id}/{index}: expired without a deadline")
            batch.states[index] = state
        if ended and batch.ended_after is None:
            batch.ended_after = time.monotonic() - batch.accepted_at
