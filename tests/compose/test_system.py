"""What the containers are, and that they do together what the system is for."""

import json
import re

import pytest
import requests
from darkroom_contracts.ids import celery_id, task_id
from darkroom_contracts.queues import Queue
from support.client import Client
from support.pictures import decode, encode, gaussian, photograph, pixels, psnr
from support.waiting import wait_for

from compose.system import ComposeSystem

pytestmark = pytest.mark.compose

OUR_SERVICES = ("api", "worker", "maintenance", "scheduler", "mailer", "outbound", "flower")
SERVICES = (*OUR_SERVICES, "redis", "inbox")


@pytest.mark.parametrize("service", SERVICES)
def test_every_container_is_healthy_and_limited(system: ComposeSystem, service: str) -> None:
    for container in system.containers(service):
        facts = system.inspect(container)
        assert facts["State"]["Health"]["Status"] == "healthy"
        assert facts["HostConfig"]["ReadonlyRootfs"]
        assert facts["HostConfig"]["Memory"] > 0
        assert facts["HostConfig"]["NanoCpus"] > 0 or service == "worker"  # which has all processors
        assert facts["HostConfig"]["RestartPolicy"]["Name"] == "always"
        assert system.run_in(container, "id", "-u").strip() != "0"


def test_only_the_api_flower_and_the_inbox_are_published_and_only_to_this_machine(system: ComposeSystem) -> None:
    published = {
        service: bindings
        for service in SERVICES
        for container in system.containers(service)
        if (bindings := [b for b in system.inspect(container)["NetworkSettings"]["Ports"].values() if b])
    }
    assert set(published) == {"api", "flower", "inbox"}
    assert {binding["HostIp"] for ports in published.values() for port in ports for binding in port} == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("service", "foreign"),
    [
        ("api", {"cv2", "darkroom_worker", "redbeat"}),
        ("worker", {"flask", "gunicorn", "darkroom_api"}),
        ("maintenance", {"flask", "PIL", "cv2", "darkroom_worker"}),
        ("scheduler", {"flask", "PIL", "cv2", "darkroom_worker"}),
        ("mailer", {"flask", "PIL", "cv2", "darkroom_api"}),
        ("outbound", {"flask", "cv2", "darkroom_api", "darkroom_worker"}),
        ("flower", {"flask", "PIL", "cv2", "darkroom_records"}),
    ],
)
def test_an_image_holds_only_what_its_service_uses(system: ComposeSystem, service: str, foreign: set[str]) -> None:
    code = "import importlib.util as u, sys; print(*(n for n in sys.argv[1:] if u.find_spec(n)))"
    found = system.run_in(system.containers(service)[0], "python", "-c", code, *foreign, "uv", "hatchling")
    assert found.split() == []


def test_photographs_come_back_blurred(client: Client) -> None:
    originals = {f"photo-{seed}.jpg": encode(photograph(640, 480, seed)) for seed in range(12)}
    group_id = client.start(originals, [{"op": "blur", "radius": 5}])
    status = client.wait(group_id)
    assert (status["state"], status["completed"], status["status"]) == ("completed", 12, 1)
    for index, original in enumerate(originals.values()):
        exact = gaussian(pixels(decode(original)), 5)
        assert psnr(pixels(decode(client.result(group_id, index))), exact) > 40
    files = client.archive(group_id)
    assert {name for name in files if name != "manifest.json"} == set(originals)


def test_a_bad_image_fails_alone(client: Client) -> None:
    good = encode(photograph())
    group_id = client.start({"good.jpg": good, "bad.jpg": good[: len(good) // 2], "note.txt": b"no image"}, [])
    status = client.wait(group_id)
    assert status["state"] == "partial"
    assert [image["state"] for image in status["images"]] == ["succeeded", "failed", "failed"]
    assert all(image["error"] for image in status["images"][1:])


def test_a_batch_is_spread_over_all_workers(system: ComposeSystem, client: Client) -> None:
    group_id = client.start({f"{n}.jpg": encode(photograph(1200, 900, n)) for n in range(30)}, [{"op": "blur"}])
    client.wait(group_id)
    done = re.compile(rf"Task images\.process\[{celery_id(group_id)}\.(\d+)\] succeeded")
    shares = [len(set(done.findall(system.logs(container)))) for container in system.containers("worker")]
    assert len(shares) == 3
    assert all(share > 0 for share in shares), shares
    assert sum(shares) == 30


def test_flower_shows_the_workers_and_their_tasks(system: ComposeSystem, client: Client) -> None:
    flower = system.url("flower", 5555)
    workers = {f"images@{system.inspect(c)['Config']['Hostname']}" for c in system.containers("worker")}
    workers |= {f"maintenance@{system.inspect(c)['Config']['Hostname']}" for c in system.containers("maintenance")}
    workers |= {f"mail@{system.inspect(c)['Config']['Hostname']}" for c in system.containers("mailer")}

    def shown() -> bool:
        listed = requests.get(f"{flower}/workers", params={"json": 1}, timeout=10).json()["data"]
        return workers <= {worker["hostname"] for worker in listed if worker["status"]}

    wait_for(shown, limit=30, what="Flower to show every worker")
    group_id = client.start({"one.jpg": encode(photograph())}, [])
    client.wait(group_id)
    page = f"{flower}/task/{celery_id(task_id(group_id, 0))}"
    wait_for(lambda: "images.process" in requests.get(page, timeout=10).text, limit=30, what="Flower to show the task")


def test_flower_lists_every_queue(system: ComposeSystem) -> None:
    page = requests.get(f"{system.url('flower', 5555)}/broker", timeout=10)
    assert set(re.findall(r'<tr id="([^"]+)">', page.text)) == set(Queue)


@pytest.mark.parametrize("service", OUR_SERVICES)
def test_every_line_of_a_service_is_json(system: ComposeSystem, service: str) -> None:
    for container in system.containers(service):
        for line in system.logs(container).splitlines():
            assert isinstance(json.loads(line), dict), line


def waits(system: ComposeSystem, scheduler: str) -> bool:
    """Whether this scheduler has started last without taking the lock since."""
    log = system.logs(scheduler)
    return log.rfind("Acquired lock") < log.rfind("beat: Starting...")


def test_of_two_schedulers_one_sends_tasks(system: ComposeSystem) -> None:
    first, second = system.containers("scheduler")
    wait_for(lambda: not (waits(system, first) and waits(system, second)), limit=90, what="a lock")
    active, spare = (second, first) if waits(system, first) else (first, second)
    assert waits(system, spare)
    assert not waits(system, active)


def test_the_spare_scheduler_takes_over_within_half_a_minute(system: ComposeSystem) -> None:
    active, spare = sorted(system.containers("scheduler"), key=lambda container: waits(system, container))
    assert waits(system, spare)
    system.kill(active)
    wait_for(lambda: not waits(system, spare), limit=30, what="the spare scheduler to take over")


def test_one_request_id_is_found_from_the_request_to_the_task(system: ComposeSystem, client: Client) -> None:
    response = client.post_files({"one.jpg": encode(photograph())}, [])
    request_id = response.headers["X-Request-ID"]
    client.wait(response.json()["group_id"])
    for service in ("api", "worker"):
        logs = "".join(system.logs(container) for container in system.containers(service))
        assert request_id in logs, service
