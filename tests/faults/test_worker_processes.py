"""What becomes of an image whose process is killed while it is worked on, for real and again and again."""

import os
import signal
from pathlib import Path

import pytest
from support.client import Answer, Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph
from support.waiting import wait_for

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc"),
]

# Seconds of work, and a multiple of it: enough that it can be caught at it.
SOME_WORK: list[Answer] = [{"op": "sharpen"}] * 5
MUCH_WORK: list[Answer] = [*[{"op": "sharpen"}] * 19, {"op": "convert", "format": "avif", "quality": 100}]


def processing(client: Client, group_id: str) -> bool:
    return bool(client.status(group_id)["images"][0]["state"] == "processing")


def process_at_work(stack: LocalStack) -> int:
    """The one process of the worker's pool."""
    worker = stack.processes["worker"].pid
    children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    return int(children[0]) if children else 0


def test_an_image_whose_process_is_killed_once_is_worked_on_again(
    stack: LocalStack, client: Client, large: bytes
) -> None:
    group_id = client.start({"large.jpg": large}, SOME_WORK)
    wait_for(lambda: processing(client, group_id), limit=30, what="the image to be begun")
    os.kill(process_at_work(stack), signal.SIGKILL)
    assert client.wait(group_id)["state"] == "completed"


def test_an_image_that_kills_its_process_three_times_has_failed_and_the_worker_goes_on(
    stack: LocalStack, client: Client, large: bytes
) -> None:
    group_id = client.start({"large.jpg": large}, MUCH_WORK)
    killed: set[int] = set()

    def kill_the_next() -> bool:
        pid = process_at_work(stack)
        if pid and pid not in killed and processing(client, group_id) and busy(pid):
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        return bool(client.status(group_id)["finished_at"])

    wait_for(kill_the_next, limit=90, what="the image to be given up")
    image = client.status(group_id)["images"][0]
    assert image["state"] == "failed"
    assert "crashed 3 times" in image["error"]
    assert len(killed) == 3
    after = client.start({"small.jpg": encode(photograph())}, [])
    assert client.wait(after)["state"] == "completed"


def busy(pid: int) -> bool:
    """Whether a process has used half a second of a processor, as one at work has and one that waits has not."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") > 0.5
