"""Any one container may be killed in the middle of a batch: nothing of it is lost."""

import pytest
from support.client import Client
from support.pictures import decode, encode, photograph
from support.waiting import wait_for

from compose.system import ComposeSystem

pytestmark = pytest.mark.compose

IMAGES = 24


@pytest.mark.parametrize(
    "service", ["worker", "maintenance", "scheduler", "mailer", "outbound", "flower", "inbox", "api", "redis"]
)
def test_a_killed_container_loses_nothing(system: ComposeSystem, client: Client, service: str) -> None:
    pictures = {f"{n}.jpg": encode(photograph(1600, 1200, n)) for n in range(IMAGES)}
    group_id = client.start(pictures, [{"op": "blur", "radius": 8}])
    wait_for(lambda: client.status(group_id)["completed"] > 2, limit=60, what="the batch to be under way")
    system.kill(system.containers(service)[0])
    if service != "worker":  # the other workers finish for a dead one; the rest is brought back, as an operator would
        system.up()
    status = client.wait(group_id, limit=180)
    assert (status["state"], status["completed"]) == ("completed", IMAGES), status
    assert all(decode(client.result(group_id, index)).size == (1600, 1200) for index in range(IMAGES))
