"""Below a free space of the disk nothing is taken in, and all else goes on."""

import io
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_api.uploads.disk_space import DiskSpace, Space
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError
from redis import Redis
from support.api_cases import close, files_in, png, post_files
from support.live_api import live_api
from support.live_worker import live_worker
from support.pictures import encode, photograph
from support.redis_keys import lasting_keys
from support.waiting import wait_for
from werkzeug.test import TestResponse

ALL_OF_IT = "999999999999999"
"""More bytes than any disk has free."""
MEGABYTE = 1_000_000
PNG = {"Content-Type": "image/png"}
INTAKE = ("/process_images", "/blur", "/images", "/preflight")


class FakeDisk:
    """Answers as ``os.statvfs`` does, for a disk of 1,000 blocks of 4,096 bytes."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.asked = 0

    def __call__(self, _: Path) -> os.statvfs_result:
        self.asked += 1
        # The free blocks that only root may use, as many file systems have, are not counted.
        return os.statvfs_result((4096, 4096, 1000, self.free + 50, self.free, 100, 50, 50, 0, 255))


@pytest.fixture
def full(redis_url: str, tmp_path: Path) -> Iterator[Flask]:
    """An application on a disk that never has enough free."""
    app = create_app(ApiSettings(redis_url=redis_url, storage_dir=tmp_path, min_free_space=ALL_OF_IT))
    yield app
    close(app)


def refused(answer: TestResponse) -> None:
    assert answer.status_code == 507
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["code"] == "storage_full"
    assert "retry later" in answer.get_json()["error"]
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    ("minimum", "free", "is_low"),
    [("0", 0, False), ("4096", 0, True), ("4096", 1, False), ("2%", 20, False), ("2%", 19, True), ("2.1%", 20, True)],
)
def test_the_minimum_is_bytes_or_a_share_of_the_disk(tmp_path: Path, minimum: str, free: int, is_low: bool) -> None:
    assert DiskSpace(tmp_path, minimum, statvfs=FakeDisk(free)).measure().is_low is is_low


def test_the_system_is_asked_for_what_is_free_to_us(tmp_path: Path) -> None:
    space = DiskSpace(tmp_path / "not" / "made" / "yet", "2%").measure()
    disk = shutil.disk_usage(tmp_path)
    assert space.free == pytest.approx(disk.free, abs=disk.total / 50)  # others write to it, too
    assert space.minimum == pytest.approx(disk.total * 0.02, rel=0.001)


def test_pieces_of_bodies_do_not_ask_the_system_each_time(tmp_path: Path) -> None:
    fake = FakeDisk(free=0)
    disk = DiskSpace(tmp_path, "2%", statvfs=fake)
    assert all(disk.is_low() for _ in range(1000))
    assert fake.asked < 100
    fake.free = 500
    assert disk.measure() == Space(free=500 * 4096, minimum=20 * 4096)
    assert not disk.is_low()


@pytest.mark.parametrize("text", ["", "-1", "1.5", "100%", "2 %", "1GB", "%", "9" * 20])
def test_what_is_neither_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValidationError, match="expected bytes, such as 1000000000, or a share"):
        ApiSettings.model_validate({"min_free_space": text})


@pytest.mark.parametrize("path", INTAKE)
def test_intake_is_refused_and_leaves_nothing(full: Flask, redis: Redis, tmp_path: Path, path: str) -> None:
    refused(full.test_client().post(path, data={"images": (io.BytesIO(png()), "a.png")}))
    assert files_in(tmp_path) == []
    assert lasting_keys(redis) == []


def test_readiness_and_metrics_tell_of_it(full: Flask, http: FlaskClient) -> None:
    low = full.test_client().get("/readyz")
    assert (low.status_code, low.get_json()) == (200, {"status": "disk_space_low"})
    assert http.get("/readyz").get_json() == {"status": "ready"}
    metrics = full.test_client().get("/metrics").get_data(as_text=True)
    told = dict(line.split() for line in metrics.splitlines() if line.startswith("darkroom_disk_"))
    assert float(told["darkroom_disk_min_free_bytes"]) == float(ALL_OF_IT)
    assert 0 < float(told["darkroom_disk_free_bytes"]) < float(ALL_OF_IT)


def test_a_body_is_refused_before_it_is_sent(redis_url: str, tmp_path: Path) -> None:
    head = b"POST /images HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: 50000000\r\n\r\n"
    with live_api(redis_url, tmp_path, {"DARKROOM_MIN_FREE_SPACE": ALL_OF_IT}) as api:
        address = urlsplit(api.url)
        with socket.create_connection((address.hostname, address.port), timeout=30) as client:
            client.sendall(head)
            assert client.recv(4096).startswith(b"HTTP/1.1 507 ")
        answer = requests.post(
            f"{api.url}/images", data=b"\0" * 500_000, headers={"Content-Type": "image/png"}, timeout=30
        )
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 20 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk takes root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_on_a_disk_that_fills_up_accepted_work_ends_and_intake_resumes_with_space(
    redis: Redis, redis_url: str, small_disk: Path
) -> None:
    settings = ApiSettings(redis_url=redis_url, storage_dir=small_disk, min_free_space=str(8 * MEGABYTE))
    app = create_app(settings)
    http = app.test_client()
    photo = encode(photograph(400, 300))
    try:
        accepted = post_files(http, [(f"{number}.jpg", photo) for number in range(5)])
        assert accepted.status_code == 202
        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(14 * MEGABYTE))
        before = set(files_in(small_disk)), set(lasting_keys(redis))
        for path in INTAKE:
            refused(http.post(path, data=photo, content_type="image/jpeg"))
        assert (set(files_in(small_disk)), set(lasting_keys(redis))) == before
        with live_worker(redis_url, small_disk):
            group = accepted.get_json()["group_id"]
            wait_for(lambda: http.get(f"/status/{group}").get_json()["finished_at"], limit=60, what="accepted work")
        assert http.get(f"/status/{group}").get_json()["state"] == "completed"
        with http.get(f"/images/{group}/0") as result:
            assert result.status_code == 200
        ballast.unlink()
        assert post_files(http, [("again.jpg", photo)]).status_code == 202
    finally:
        close(app)
