"""Running the failed images of a group again, with a real worker."""

import io
from pathlib import Path
from typing import Any

import pytest
from darkroom_records.blobs import original_blob
from flask.testing import FlaskClient
from PIL import Image
from support.pictures import encode, photograph
from support.waiting import wait_for


@pytest.mark.usefixtures("worker")
def test_an_image_that_failed_for_a_reason_that_is_gone_succeeds(http: FlaskClient, storage_dir: Path) -> None:
    def end() -> Any:
        answer = http.get(f"/status/{group_id}").get_json()
        return answer if answer["finished_at"] else None

    # The second image is written over before the worker gets to it: the first keeps it busy for a moment.
    large, small = encode(Image.new("RGB", (4000, 3000)), "PNG"), encode(photograph())
    files = [(io.BytesIO(large), "large.png"), (io.BytesIO(small), "small.jpg")]
    sharpen = '[{"op": "sharpen", "radius": 40}, {"op": "sharpen", "radius": 40}]'
    answer = http.post("/process_images", data={"images": files, "operations": sharpen})
    group_id = answer.get_json()["group_id"]
    original = storage_dir / original_blob(group_id, 1)
    original.write_bytes(small[:1000])
    assert wait_for(end, limit=60, what="the end of the group")["failed"] == 1
    original.write_bytes(small)
    assert http.post(f"/retry/{group_id}").get_json()["retried"] == 1
    assert wait_for(end, limit=60, what="the end of the group")["state"] == "completed"
