"""A batch goes on within half a minute after its worker was killed. `make faults` has many more reasons to stop."""

import time

import pytest
import requests
from support.client import TRANSIENT, Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph
from support.waiting import wait_for

pytestmark = pytest.mark.slow

LIMIT = 30.0
"""Seconds after which what was lost must be worked on again, with the settings everybody has."""
WORK = [{"op": "sharpen", "radius": 20}] * 16
"""So much that the batch is still under way when what was lost is found."""


def started(client: Client, images: int) -> str:
    """A batch of which a few images are done, and whose others take half a second or more each."""
    group_id = client.start({f"{n}.jpg": encode(photograph(1600, 1200, n)) for n in range(images)}, WORK)
    wait_for(lambda: client.status(group_id)["completed"] > 2, limit=60, what="the batch to be under way")
    return group_id


def longest_pause(client: Client, group_id: str) -> float:
    """Seconds that nothing ended, at the most, until all has."""
    latest, completed, longest = time.monotonic(), -1, 0.0

    def ended() -> bool:
        nonlocal latest, completed, longest
        try:
            status = client.status(group_id, images="false")
        except (*TRANSIENT, requests.HTTPError):  # while Redis is away
            return False
        if status["completed"] != completed:
            longest = max(longest, time.monotonic() - latest) if completed >= 0 else 0.0
            latest, completed = time.monotonic(), status["completed"]
        return status["finished_at"] is not None

    wait_for(ended, limit=180, what="the end of the batch")
    assert client.status(group_id)["state"] == "completed"
    return longest


def test_after_its_worker_was_killed(usual: LocalStack) -> None:
    client = Client(usual.api_url)
    group_id = started(client, images=40)
    usual.kill_program("worker")
    assert longest_pause(client, group_id) < LIMIT


def test_the_status_says_what_is_recovering_until_a_worker_has_begun_it_again(usual: LocalStack) -> None:
    client = Client(usual.api_url)
    group_id = started(client, images=10)
    usual.kill_program("worker")
    usual.stop_program("worker")
    wait_for(lambda: recovering(client, group_id) > 0, limit=LIMIT, what="the loss to be found")
    usual.start_program("worker")
    wait_for(lambda: recovering(client, group_id) == 0, limit=LIMIT, what="what was lost to be begun again")
    assert client.wait(group_id)["state"] == "completed"


def recovering(client: Client, group_id: str) -> int:
    """How many images of the group wait for a worker since theirs was lost."""
    return int(client.status(group_id, images="false")["recovering"])
