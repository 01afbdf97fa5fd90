"""Any one process may be killed in the middle of a batch: nothing of it is lost."""

import pytest
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import decode, encode, photograph
from support.waiting import wait_for

pytestmark = pytest.mark.slow

SIZE = (1600, 1200)
IMAGES = 40


@pytest.mark.parametrize("program", ["worker", "api", "scheduler", "redis"])
def test_a_killed_process_loses_nothing(stack: LocalStack, client: Client, program: str) -> None:
    picture = encode(photograph(*SIZE))
    group_id = client.start({f"{n}.jpg": picture for n in range(IMAGES)}, [{"op": "blur", "radius": 8}])
    wait_for(lambda: client.status(group_id)["completed"] > 1, limit=60, what="the batch to be under way")

    stack.kill_program(program)

    status = client.wait(group_id, limit=180)
    assert (status["state"], status["completed"]) == ("completed", IMAGES), status
    assert all(decode(client.result(group_id, index)).size == SIZE for index in range(IMAGES))
