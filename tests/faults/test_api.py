"""What becomes of a request whose API is killed before it has answered: all of it, or nothing that stays behind."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from redis import Redis
from support import redis_keys
from support.live_api import live_api
from support.local_stack import LocalStack
from support.waiting import wait_for

from faults.ledger import Ledger

# Python runs a module of this name in every process as it starts. A process of the API ends, and its server with it, as
# it comes to a step of taking a group in.
ENDS_AT_A_STEP = """
import os, signal, sys

if any("gunicorn" in argument for argument in sys.orig_argv):
    from darkroom_api.groups import submission

    def end(*_):
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(submission, os.environ["ENDS_AT"], end)
"""


@pytest.mark.faults
def test_it_is_killed_during_an_upload(usual: LocalStack, ledger: Ledger) -> None:
    def upload_and_kill(_: str) -> None:
        blobs = ledger.blobs()
        prepared = ledger.client.prepare({"large.jpg": bytes(20_000_000)}, [])
        body = prepared.body
        assert isinstance(body, bytes)

        def piece_by_piece() -> Iterator[bytes]:
            yield body[:10_000_000]
            wait_for(lambda: ledger.blobs() != blobs, limit=30, what="the upload to reach the disk")
            usual.kill_program("api")
            yield body[10_000_000:]

        headers = {"Content-Type": prepared.headers["Content-Type"]}
        with pytest.raises(requests.ConnectionError):
            requests.post(f"{ledger.client.url}/process_images", data=piece_by_piece(), headers=headers, timeout=60)

    ledger.run("kill -9 of the API during an upload", upload_and_kill)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("_confirm", id="after it has stored the images", marks=pytest.mark.faults),
        pytest.param("_publish", id="before it has sent the messages", marks=pytest.mark.faults),
    ],
)
def test_it_is_killed_while_it_takes_a_batch_in(usual: LocalStack, ledger: Ledger, tmp_path: Path, step: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(ENDS_AT_A_STEP)
    key = str(uuid.uuid4())
    with Redis.from_url(usual.redis_url, decode_responses=True) as redis:
        keys, blobs = redis_keys.keys_of_work(redis), ledger.blobs()
    settings = {"PYTHONPATH": str(tmp_path), "ENDS_AT": step}
    with live_api(usual.redis_url, usual.folder.blobs, settings) as api, pytest.raises(requests.ConnectionError):
        ledger.send(api.url, key)
    with ledger.timed(f"kill -9 of the API at `{step}`, after it has stored the images"):
        accepted = wait_for(lambda: ledger.accepted(key), limit=90, what="the request to be taken when sent again")
        ledger.check_results(accepted)
    ledger.delete(accepted)
    ledger.check_tidy(keys, blobs)
