"""A worker's attempts at images without Celery: over a real Redis and a real folder, their messages kept in a list."""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from darkroom_contracts.mail import Address
from darkroom_contracts.messages import Message
from darkroom_contracts.pipelines import PipelineData
from darkroom_imaging.limits import Limits
from darkroom_records.blobs import LocalBlobStorage, original_blob
from darkroom_records.groups import GroupStore, Image, NewImage, Terms
from darkroom_worker.attempts import Attempts
from darkroom_worker.memory_budget import MemoryBudget
from darkroom_worker.processing import Processor

GROUP = "0123456789abcdef0123456789abcdef"
WORKER = "images@a/1"
TIME_LIMIT = 20
MAILED = Terms(email=Address("a@example.org"), notify=True)
NOTHING_ELSE = Terms()


class Sent(list[tuple[Message, float, Mapping[str, Any]]]):
    """The messages that were sent, with their countdowns and headers."""

    def __call__(
        self, message: Message, *, countdown: float = 0, headers: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self.append((message, countdown, dict(headers)))


class SentTogether(list[Message]):
    """The messages of images whose turn it was."""

    def __call__(self, messages: Iterable[Message], /, *, published_at: float) -> None:
        assert published_at > 0
        self.extend(messages)


class Bench:
    """A worker's attempts, what they work with, and a group for them."""

    def __init__(self, groups: GroupStore, root: Path) -> None:
        self.groups = groups
        self.root = root
        self.storage = LocalBlobStorage(root, must_exist=True)
        self.sent = Sent()
        self.memory = MemoryBudget(100_000_000)
        self.next = SentTogether()
        self.attempts = Attempts(
            groups,
            self.storage,
            Processor(
                self.storage,
                Limits(max_bytes=1_000_000, max_pixels=200_000),
                self.memory,
                max_need=200_000_000,
                max_wait=0.1,
                time_limit=TIME_LIMIT,
            ),
            self.sent,
            self.next,
            worker=WORKER,
            time_limit=TIME_LIMIT,
        )

    def hold_all_memory(self) -> None:
        """Hold it as another process does, for as long as that runs."""
        with self.memory.hold(self.memory.total, seconds=0):
            threading.Event().wait()

    def create(self, *originals: bytes | None, pipeline: PipelineData = (), terms: Terms = NOTHING_ELSE) -> None:
        """Write a group down with an image for each original; None for one whose bytes are lost."""
        images = [NewImage(f"{index}.jpg") for index in range(len(originals))]
        self.groups.create(GROUP, images, pipeline, terms)
        for index, original in enumerate(originals):
            if original is not None:
                self.store(index, original)

    def store(self, index: int, original: bytes) -> None:
        """Store the original of an image."""
        self.storage.put(original_blob(GROUP, index), original)

    def run(self, index: int = 0, *, delivery: int = 0, storage_failures: int = 0) -> Image:
        """Run an attempt. Returns the image as it stands then."""
        self.attempts.run(GROUP, index, delivery=delivery, storage_failures=storage_failures)
        return self.image(index)

    def image(self, index: int = 0) -> Image:
        """The image as it stands."""
        image = self.groups.image(GROUP, index)
        assert image is not None
        return image
