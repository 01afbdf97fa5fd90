"""What happens to a batch when a process ends without a word in the middle of it: nothing that anyone could see."""

from pathlib import Path

import pytest
from darkroom_contracts.queues import Queue
from support.live_consumer import live_consumer
from support.local_stack import LocalStack
from support.pictures import encode, photograph

from faults.causes import kill
from faults.ledger import Ledger

needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")


@pytest.mark.faults
@needs_proc
def test_a_process_of_the_pool_is_killed(usual: LocalStack, ledger: Ledger) -> None:
    ledger.run("kill -9 of a process of the worker's pool", lambda _: kill(usual.children("worker")[0]))


@pytest.mark.faults
@needs_proc
def test_all_processes_of_the_pool_are_killed(usual: LocalStack, ledger: Ledger) -> None:
    ledger.run("kill -9 of all processes of the pool", lambda _: kill(*usual.children("worker")))


@pytest.mark.faults
def test_the_main_process_of_the_worker_is_killed_and_its_pool_is_not(usual: LocalStack, ledger: Ledger) -> None:
    ledger.run("kill -9 of the worker's main process", lambda _: kill(usual.processes["worker"].pid))


@pytest.mark.faults
def test_all_workers_are_killed(usual: LocalStack, ledger: Ledger) -> None:
    with live_consumer("worker", Queue.IMAGES, usual.redis_url, usual.folder.blobs) as second:

        def kill_all(_: str) -> None:
            second.kill()
            usual.kill_program("worker")

        ledger.run("kill -9 of all workers", kill_all)


@pytest.mark.faults
@pytest.mark.parametrize("program", ["api", "maintenance", "outbound", "mailer", "scheduler", "flower"])
def test_another_program_is_killed(usual: LocalStack, ledger: Ledger, program: str) -> None:
    ledger.run(f"kill -9 of {program}", lambda _: usual.kill_program(program))


# Python runs a module of this name in every process as it starts.
ENDS_ITS_PROCESS = """
import os, signal
from PIL import Image, WebPImagePlugin

def save(image, file, name):
    os.kill(os.getpid(), signal.SIGKILL)

Image.register_save("WEBP", save)
"""


@pytest.mark.faults
def test_an_image_kills_each_process_that_works_on_it(usual: LocalStack, ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(ENDS_ITS_PROCESS)
    settings = {"PYTHONPATH": str(tmp_path), "DARKROOM_WORKER_CONCURRENCY": "2"}
    group_ids = []

    def start(_: str) -> None:
        image = encode(photograph(200, 150))
        group_ids.append(ledger.client.start({"fatal.jpg": image}, [{"op": "convert", "format": "webp"}]))

    def has_failed(_: str) -> None:
        (image,) = ledger.client.wait(group_ids[0])["images"]
        assert image["state"] == "failed"
        assert "crashed 3 times" in image["error"]
        ledger.delete(group_ids[0])

    usual.stop_program("worker")
    try:
        with live_consumer("worker", Queue.IMAGES, usual.redis_url, usual.folder.blobs, settings):
            ledger.run("an image that kills its process", start, then=has_failed)
    finally:
        usual.start_program("worker")
