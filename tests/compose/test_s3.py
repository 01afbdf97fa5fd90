"""Two API and four worker containers over a bucket, which share nothing but Redis and that bucket."""

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from support.client import Client
from support.pictures import encode, photograph
from support.s3_server import KEYS, S3Server

from compose.system import ROOT, ComposeSystem

pytestmark = pytest.mark.bucket

IMAGES = 100
OURS = ("api", "worker", "maintenance", "scheduler")


@pytest.fixture(autouse=True)
def _healthy_before_each_test() -> None:
    """Do without the system that the other tests of this folder share."""


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    """A server of S3 on this machine, where containers reach it."""
    gateway = "{{(index .IPAM.Config 0).Gateway}}"
    asked = ["docker", "network", "inspect", "bridge", "--format", gateway]
    with S3Server(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()) as running:
        yield running


@pytest.fixture(scope="module")
def bucket(server: S3Server) -> str:
    return server.make_bucket()


@pytest.fixture(scope="module")
def system(server: S3Server, bucket: str) -> Iterator[ComposeSystem]:
    with ComposeSystem(
        scale={"api": 2, "worker": 4, "mailer": 0, "outbound": 0, "flower": 0, "inbox": 0, "proxy": 0},
        project="darkroom-test-s3",
        files=[ROOT / "compose.s3.yaml", Path(__file__).with_name("two_apis.yaml")],
        settings={
            "DARKROOM_STORAGE_URL": server.setting(bucket),
            "DARKROOM_HEALTH_INTERVAL": "30s",  # else eight containers are kept busy by it on a small machine
            **KEYS,
        },
    ) as running:
        yield running


@pytest.fixture(scope="module")
def clients(system: ComposeSystem) -> list[Client]:
    """One for each container of the API."""
    published = [system.inspect(container)["NetworkSettings"]["Ports"] for container in system.containers("api")]
    return [Client(f"http://127.0.0.1:{ports['8000/tcp'][0]['HostPort']}") for ports in published]


def test_nothing_on_a_disk_is_shared(system: ComposeSystem) -> None:
    mounted = [
        mount["Source"]
        for service in OURS
        for container in system.containers(service)
        for mount in system.inspect(container)["Mounts"]
    ]
    assert len(mounted) == len(set(mounted)) == len(system.containers("api"))


def test_a_batch_that_one_container_took_in_is_handed_out_by_the_other(
    clients: list[Client], server: S3Server, bucket: str
) -> None:
    first, second = clients
    group_id = first.start({"a.jpg": encode(photograph()), "b.jpg": encode(photograph(seed=1))}, [])
    assert second.wait(group_id)["state"] == "completed"
    assert len([key for key in server.keys(bucket) if group_id in key]) == 4
    image = requests.get(f"{second.url}/images/{group_id}/1", timeout=30)
    assert image.headers["Content-Type"] == "image/jpeg"
    names = set(second.archive(group_id))
    assert names == {"a.jpg", "b.jpg", "manifest.json"}


def test_what_both_take_in_at_once_is_worked_on(clients: list[Client], capsys: pytest.CaptureFixture[str]) -> None:
    files = {f"{number}.jpg": encode(photograph(1280, 960, seed=number)) for number in range(IMAGES // len(clients))}
    began = time.monotonic()
    with ThreadPoolExecutor(len(clients)) as pool:
        groups = list(pool.map(lambda client: client.start(files, [{"op": "blur", "radius": 5}]), clients))
    for client, group_id in zip(clients, reversed(groups), strict=True):
        assert client.wait(group_id)["state"] == "completed"
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\n2 API and 4 worker containers over S3: {IMAGES} images, {IMAGES / seconds:.1f} images/s")  # noqa: T201
