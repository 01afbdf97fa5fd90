"""Groups are kept for a while after their end, and then nothing of them is left."""

from collections.abc import Iterator

import pytest
import requests
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph
from support.waiting import wait_for

pytestmark = pytest.mark.slow

KEPT_SECONDS = 3


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A system that keeps groups for seconds only."""
    settings = {"DARKROOM_KEEP_RESULTS": str(KEPT_SECONDS), "DARKROOM_EXPIRY_INTERVAL": "1"}
    with LocalStack(tmp_path_factory.mktemp("forgetful"), settings) as running:
        yield running


def test_a_group_expires_with_its_record_its_images_and_its_archive(forgetful: LocalStack) -> None:
    client = Client(forgetful.api_url)
    group_id = client.start({"one.jpg": encode(photograph())}, [])
    client.wait(group_id)

    def is_gone() -> bool:
        return requests.get(f"{client.url}/status/{group_id}", timeout=10).status_code == 404

    wait_for(is_gone, limit=60, what="the group to expire")
    for path in (f"images/{group_id}/0", f"images/{group_id}/0?original=true", f"archive/{group_id}"):
        assert requests.get(f"{client.url}/{path}", timeout=10).status_code == 404
    assert not (forgetful.folder.blobs / "groups" / group_id).exists()
