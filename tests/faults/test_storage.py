"""What becomes of images when storage fails, made to fail for real: a file in a folder's place, or no folder at all."""

from pathlib import Path

import pytest
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph
from support.waiting import wait_for

pytestmark = pytest.mark.slow

ATTEMPTS = 3


def start_with_results_blocked(stack: LocalStack, client: Client) -> tuple[str, Path]:
    stack.stop_program("worker")
    group_id = client.start({"one.jpg": encode(photograph())}, [])
    obstacle = stack.folder.blobs / "groups" / group_id / "out"
    obstacle.write_text("in the way")
    stack.start_program("worker")
    return group_id, obstacle


def failures(stack: LocalStack) -> int:
    """How often storage has failed an image so far."""
    return (stack.folder.logs / "worker.log").read_text().count("storage_failed")


def test_storage_that_fails_one_image_more_often_than_it_may_be_begun_uses_up_no_attempt(
    stack: LocalStack, client: Client
) -> None:
    before = failures(stack)
    group_id, obstacle = start_with_results_blocked(stack, client)
    wait_for(lambda: failures(stack) > before + ATTEMPTS, limit=60, what="more failures than attempts")
    other = client.start({"other.jpg": encode(photograph())}, [])
    assert client.wait(other)["state"] == "completed", "the worker goes on meanwhile"
    assert client.status(group_id)["state"] == "queued"
    obstacle.unlink()
    assert client.wait(group_id)["state"] == "completed"


@pytest.mark.faults
def test_an_image_fails_with_that_reason_when_storage_that_is_well_fails_it_for_minutes(
    stack: LocalStack, client: Client
) -> None:
    group_id, _ = start_with_results_blocked(stack, client)
    image = client.wait(group_id, limit=240)["images"][0]
    assert image["state"] == "failed"
    assert "The image storage was unavailable" in image["error"]


def test_a_batch_waits_while_the_whole_storage_is_away_and_ends_complete(stack: LocalStack, client: Client) -> None:
    stack.stop_program("worker")
    group_id = client.start({f"{number}.jpg": encode(photograph(seed=number)) for number in range(30)}, [])
    before = failures(stack)
    away = stack.folder.blobs.rename(stack.folder.root / "unplugged")
    stack.start_program("worker")
    wait_for(lambda: failures(stack) > before, limit=60, what="storage to be missed")
    # As long as it takes until what is tried again after waits of 1, 2, 4 and 8 seconds has failed again.
    wait_for(lambda: failures(stack) > before + 1, limit=60, what="storage to be missed again")
    status = client.status(group_id)
    assert (status["state"], status["failed"]) == ("queued", 0)
    assert failures(stack) - before < 10, "a worker does not go through all images again and again"
    assert not stack.folder.blobs.exists(), "nothing is made in the storage's place"
    away.rename(stack.folder.blobs)
    assert client.wait(group_id)["state"] == "completed"
    assert client.status(group_id)["completed"] == 30
