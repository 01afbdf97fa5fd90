"""A batch whose images have several results each, through the whole system, with a worker killed in the middle."""

import zipfile
from io import BytesIO
from urllib.parse import urljoin

import pytest
import requests
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.pipelines import PipelineData
from darkroom_records.blobs import LocalBlobStorage, original_blob
from darkroom_records.groups import GroupStore, NewImage, Terms
from redis import Redis
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import decode, encode, photograph
from support.waiting import wait_for

pytestmark = pytest.mark.slow

IMAGES = 16
OUTPUTS: dict[str, PipelineData] = {
    "thumb": [{"op": "resize", "width": 80}],
    "web": [{"op": "convert", "format": "webp"}],
}


def test_every_output_of_a_batch_is_made_although_its_worker_is_killed(stack: LocalStack, client: Client) -> None:
    group_id = new_group_id()
    storage = LocalBlobStorage(stack.folder.blobs)
    picture = encode(photograph(1200, 900))
    for index in range(IMAGES):
        storage.put(original_blob(group_id, index), picture)
    images = [NewImage(f"{index}.jpg") for index in range(IMAGES)]
    with Redis.from_url(stack.redis_url, decode_responses=True) as redis:
        # Nobody sends messages for it: they are found to be lost.
        GroupStore(redis).create(group_id, images, [{"op": "blur", "radius": 8}], Terms(outputs=OUTPUTS))
    wait_for(lambda: client.status(group_id)["completed"] > 1, limit=60, what="the batch to be under way")

    stack.kill_program("worker")

    status = client.wait(group_id, limit=180)
    assert (status["state"], status["completed"]) == ("completed", IMAGES), status
    assert decode(fetch(client, status["images"][0]["outputs"]["thumb"]["url"])).size == (80, 60)
    assert decode(fetch(client, status["images"][0]["outputs"]["web"]["url"])).format == "WEBP"
    with zipfile.ZipFile(BytesIO(fetch(client, f"/archive/{group_id}"))) as archive:
        assert archive.testzip() is None
        names = {f"{output}/{index}" for output in OUTPUTS for index in range(IMAGES)}
        assert {name.rpartition(".")[0] for name in archive.namelist()} - {"manifest"} == names


def fetch(client: Client, url: str) -> bytes:
    response = requests.get(urljoin(client.url, url), timeout=60)
    response.raise_for_status()
    return response.content
