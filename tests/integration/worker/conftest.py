"""A worker's attempts, and what happens to them in the middle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from darkroom_records.blobs import LocalBlobStorage
from darkroom_records.groups import GroupStore
from darkroom_runtime.workers import heartbeat_key
from PIL import Image, WebPImagePlugin
from redis import Redis
from support.attempts import WORKER, Bench
from support.pictures import encode, photograph

encode_webp = WebPImagePlugin._save


@pytest.fixture
def bench(groups: GroupStore, redis: Redis, tmp_path: Path) -> Bench:
    """Attempts over an empty Redis and an empty folder, by a worker that lives."""
    redis.set(heartbeat_key(WORKER), "alive")
    root = tmp_path / "blobs"
    LocalBlobStorage(root).check()  # whoever takes images in makes the folder
    return Bench(groups, root)


@pytest.fixture
def jpeg() -> bytes:
    """A small photograph."""
    return encode(photograph())


@pytest.fixture
def while_encoding(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Lets something happen, or be raised, whenever a WebP is encoded."""

    def install(happens: Callable[[], object]) -> None:
        def save(*arguments: Any) -> None:
            happens()
            encode_webp(*arguments)

        monkeypatch.setitem(Image.SAVE, "WEBP", save)

    return install
