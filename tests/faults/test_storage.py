"""What becomes of an image when storage fails, made to fail for real: a file lies where a folder must be."""

from pathlib import Path

import pytest
from darkroom_local.stack import LocalStack
from support.client import Client
from support.pictures import encode, photograph
from support.waiting import wait_for

pytestmark = pytest.mark.slow


def start_with_results_blocked(stack: LocalStack, client: Client) -> tuple[str, Path]:
    stack.stop_program("worker")
    group_id = client.start({"one.jpg": encode(photograph())}, [])
    obstacle = stack.folder.blobs / "groups" / group_id / "out"
    obstacle.write_text("in the way")
    stack.start_program("worker")
    return group_id, obstacle


def test_an_image_is_tried_again_when_storage_has_recovered(stack: LocalStack, client: Client) -> None:
    group_id, obstacle = start_with_results_blocked(stack, client)
    log = stack.folder.logs / "worker.log"

    def tried() -> bool:
        return any("storage_failed" in line and group_id in line for line in log.read_text().splitlines())

    wait_for(tried, limit=30, what="the first try to fail")
    obstacle.unlink()
    assert client.wait(group_id)["state"] == "completed"


def test_an_image_fails_with_that_reason_when_storage_does_not_recover(stack: LocalStack, client: Client) -> None:
    group_id, _ = start_with_results_blocked(stack, client)
    image = client.wait(group_id)["images"][0]
    assert image["state"] == "failed"
    assert "The storage did not answer" in image["error"]
