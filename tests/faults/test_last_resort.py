"""An unexpected error fails its image at once, with a truthful sentence, and leaves its cause in the log."""

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
CAUSES = {
    1: "RuntimeError: broken on purpose",
    2: "OSError: broken on purpose",
    3: "OSError: [Errno 28] No space left on device",
    5: "RecursionError: broken on purpose",
    6: "struct.error: broken on purpose",
    7: "ValueError: broken on purpose",
    9: "PIL.UnidentifiedImageError: cannot identify image file",
}
"""The cause that the log names for each quality; at 9, the encoder writes a file that is not an image."""
SECONDS = 30
"""The limit for each test, far below the time after which a worker counts as dead."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A system whose WebP encoder fails, in a way that the quality selects."""
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


@pytest.mark.parametrize(("quality", "cause"), CAUSES.items())
def test_whatever_an_encoder_raises_or_writes_fails_the_image_at_once(
    stack: LocalStack, client: Client, quality: int, cause: str
) -> None:
    logged = len(log_of(stack))
    started = time.monotonic()
    group = client.wait(client.start({"a.png": encode(photograph(), "PNG")}, [convert(quality)]), limit=SECONDS)
    (image,) = group["images"]
    assert (image["state"], image["code"]) == ("failed", "internal_error")
    assert image["error"] == "Encoding the result as WebP failed unexpectedly."
    assert time.monotonic() - started < SECONDS
    own = log_of(stack)[logged:]
    assert "Traceback" in own
    assert [line for line in own.splitlines() if line.startswith(cause)]


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
