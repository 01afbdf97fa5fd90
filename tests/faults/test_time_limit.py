"""What becomes of an image that takes too long."""

from collections.abc import Iterator

import pytest
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph

pytestmark = pytest.mark.slow

# Twenty times and more of what it is given time for.
MUCH_WORK = [{"op": "sharpen"}] * 20
SECONDS = 1


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A system that gives an image hardly any time."""
    with LocalStack(tmp_path_factory.mktemp("hasty"), {"DARKROOM_IMAGE_TIME_LIMIT": str(SECONDS)}) as running:
        yield running


def test_an_image_that_takes_too_long_fails_with_that_reason_and_the_worker_goes_on(
    hasty: LocalStack, large: bytes
) -> None:
    client = Client(hasty.api_url)
    image = client.wait(client.start({"large.jpg": large}, MUCH_WORK))["images"][0]
    assert image["state"] == "failed"
    assert f"longer than {SECONDS} seconds" in image["error"]
    after = client.start({"small.jpg": encode(photograph())}, [])
    assert client.wait(after)["state"] == "completed"
