"""What becomes of an image when something fails that nobody foresaw: it fails at once, and says so truthfully."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph

pytestmark = pytest.mark.slow

# Python runs a module of this name in every process as it starts.
BROKEN_ENCODER = """
from PIL import Image, WebPImagePlugin
import struct

class Unheard(Exception):
    pass

ERRORS = {
    1: RuntimeError("broken on purpose"),
    2: OSError("broken on purpose"),
    3: OSError(28, "No space left on device"),
    4: Unheard("broken on purpose"),
    5: RecursionError("broken on purpose"),
    6: struct.error("broken on purpose"),
    7: ValueError("broken on purpose"),
    8: MemoryError(),
}

def save(image, file, name):
    quality = image.encoderinfo["quality"]
    if quality in ERRORS:
        raise ERRORS[quality]
    file.write(b"this is no image")

Image.register_save("WEBP", save)
"""
SECONDS = 30
"""That all may take: far less than it takes to believe a worker dead."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A system whose WebP encoder fails in a way that the quality chooses."""
    modules = tmp_path_factory.mktemp("modules")
    (modules / "sitecustomize.py").write_text(BROKEN_ENCODER)
    with LocalStack(tmp_path_factory.mktemp("broken"), {"PYTHONPATH": str(modules)}) as running:
        yield running


@pytest.fixture
def client(stack: LocalStack) -> Client:
    """A client of its API."""
    return Client(stack.api_url)


def log_of(stack: LocalStack) -> str:
    return Path(stack.folder.logs / "worker.log").read_text()


@pytest.mark.parametrize("quality", [1, 2, 3, 5, 6, 7, 9])
def test_whatever_an_encoder_raises_or_writes_fails_the_image_at_once(
    stack: LocalStack, client: Client, quality: int
) -> None:
    started = time.monotonic()
    group = client.wait(client.start({"a.png": encode(photograph(), "PNG")}, [convert(quality)]), limit=SECONDS)
    (image,) = group["images"]
    assert (image["state"], image["code"]) == ("failed", "internal_error")
    assert image["error"] == "Encoding the result as WebP failed unexpectedly."
    assert time.monotonic() - started < SECONDS
    if quality != 9:
        assert "broken on purpose" in log_of(stack) or "No space left" in log_of(stack)
    assert "Traceback" in log_of(stack)


def test_an_error_of_a_kind_that_nobody_knows_fails_the_image_at_once(stack: LocalStack, client: Client) -> None:
    (image,) = client.wait(client.start({"a.png": encode(photograph(), "PNG")}, [convert(4)]), limit=SECONDS)["images"]
    assert (image["state"], image["error"]) == ("failed", "Processing failed unexpectedly.")
    assert "Unheard" in log_of(stack)


def test_an_encoder_without_memory_says_so(client: Client) -> None:
    (image,) = client.wait(client.start({"a.png": encode(photograph(), "PNG")}, [convert(8)]), limit=SECONDS)["images"]
    assert (image["state"], image["code"]) == ("failed", "out_of_memory")


def test_an_operation_that_the_worker_does_not_know_fails_the_image_at_once(stack: LocalStack, client: Client) -> None:
    stack.stop_program("worker")
    group_id = client.start({"a.png": encode(photograph(), "PNG")}, [{"op": "grayscale"}])
    with Redis.from_url(stack.redis_url, decode_responses=True) as redis:
        hashes = [key for key in redis.scan_iter(f"*{group_id}*") if redis.type(key) == "hash"]
        (record,) = (key for key in hashes if redis.hexists(key, "pipeline"))
        redis.hset(record, "pipeline", json.dumps([{"op": "sparkle"}]))
    stack.start_program("worker")
    (image,) = client.wait(group_id, limit=SECONDS)["images"]
    assert (image["state"], image["code"]) == ("failed", "operation_failed")
    assert "unknown operation 'sparkle'" in image["error"]


def convert(quality: int) -> dict[str, object]:
    return {"op": "convert", "format": "webp", "quality": quality}
