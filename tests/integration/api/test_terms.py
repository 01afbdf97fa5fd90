"""What can be asked for a group as a whole: outputs, metadata, how long it is kept, a deadline."""

import base64
import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from darkroom_contracts.formats import Metadata
from darkroom_imaging.operations import Blur, Convert, Resize, write_pipeline
from darkroom_records.blobs import result_blob
from darkroom_records.groups import GroupStore, Outcome, ResultFacts
from flask import Flask
from flask.testing import FlaskClient
from support.api_cases import png, post_files

PICTURE = base64.b64encode(png()).decode()
OUTPUTS = {"thumb": [{"op": "resize", "width": 4}], "web": [{"op": "convert", "format": "webp"}]}
WRITTEN = {
    "thumb": write_pipeline((Resize(width=4),)),
    "web": write_pipeline((Convert(format="webp"),)),
}
OPERATION = {"op": "grayscale"}


def post(http: FlaskClient, **members: Any) -> Any:
    answer = http.post("/process_images", json={"images": [PICTURE], **members})
    assert answer.status_code == 202, answer.text
    return answer.get_json()["group_id"]


def mistakes(http: FlaskClient, **members: Any) -> list[str]:
    answer = http.post("/process_images", json={"images": [PICTURE], **members})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "validation_failed"), answer.text
    return [f"{mistake['where']}: {mistake['message']}" for mistake in answer.get_json()["errors"]]


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def finish(app: Flask, group_id: str, results: dict[str, bytes]) -> None:
    """Do the work of a worker on a group of one image with outputs."""
    services = app.extensions["darkroom"]
    work = services.groups.begin(group_id, 0, worker="test", delivery=0)
    facts = {}
    for name, data in results.items():
        services.storage.put(result_blob(group_id, 0, name), data)
        facts[name] = ResultFacts("png", 8, 6, len(data), "ab" * 32)
    assert services.groups.succeed(work, Outcome.of(facts))


def test_json_says_which_outputs_there_are(http: FlaskClient, store: GroupStore) -> None:
    group = store.read(post(http, operations=[{"op": "blur"}], outputs=OUTPUTS, metadata="copyright"))
    assert (group.pipeline, group.outputs) == (write_pipeline((Blur(),)), WRITTEN)
    assert group.metadata is Metadata.COPYRIGHT


def test_a_form_says_the_same_in_its_fields(http: FlaskClient, store: GroupStore) -> None:
    deadline = in_seconds(3600)
    fields: dict[str, Any] = {"outputs": json.dumps(OUTPUTS), "metadata": "all", "keep_for": "60", "deadline": deadline}
    group = store.read(post_files(http, [("a.png", png())], **fields).get_json()["group_id"])
    assert (group.outputs, group.metadata, group.keep_for) == (WRITTEN, Metadata.ALL, 60)
    assert group.deadline == datetime.fromisoformat(deadline).timestamp()


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"outputs": {}}, "outputs: needs at least 1 item"),
        ({"outputs": {str(number): [] for number in range(9)}}, "outputs: can have at most 8 items"),
        ({"outputs": {"Thumb": []}}, "outputs.Thumb: has the wrong format; it must match ^[a-z0-9-]{1,32}$"),
        ({"outputs": {"a/b": []}}, "outputs.a/b: has the wrong format; it must match ^[a-z0-9-]{1,32}$"),
        ({"outputs": {"a": [{"op": "blur", "radius": 0}]}}, "outputs.a[0].radius: must be greater than 0"),
        (
            {"operations": [OPERATION] * 5, "outputs": {"a": [OPERATION] * 8, "b": [OPERATION] * 8}},
            "outputs: operations and outputs can have at most 20 operations together, not 21",
        ),
        ({"metadata": "some"}, "metadata: must be 'none', 'copyright' or 'all'"),
        ({"keep_for": 0}, "keep_for: must be at least 1"),
        ({"keep_for": 604_801}, "keep_for: must be at most 604,800 seconds"),
        ({"deadline": in_seconds(-1)}, "deadline: must be in the future"),
        ({"deadline": in_seconds(8 * 24 * 3600)}, "deadline: must be at most 7 days ahead"),
        *(
            ({"deadline": wrong}, "deadline: must be a time with its offset, such as 2030-01-31T12:00:00Z")
            for wrong in ("tomorrow", 1_900_000_000, "2030-01-31T12:00:00", "2030-06-31T12:00:00Z")
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_the_place_and_the_limit(
    http: FlaskClient, members: dict[str, Any], expected: str
) -> None:
    assert mistakes(http, **members) == [expected]


def test_a_field_of_a_form_that_is_not_json_is_named(http: FlaskClient) -> None:
    answer = post_files(http, [("a.png", png())], outputs="{")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_json")
    assert answer.get_json()["error"].startswith("outputs: is not valid JSON")


def test_the_document_says_for_how_long_this_server_keeps_results(http: FlaskClient) -> None:
    schemas = http.get("/openapi.json").get_json()["components"]["schemas"]
    whole = [schemas["ProcessImages"]["properties"]["keep_for"]["anyOf"][0]]
    whole.append(schemas["ProcessImagesForm"]["properties"]["keep_for"])
    assert [member["maximum"] for member in whole] == [604_800, 604_800]


def test_the_status_says_when_a_group_expires(http: FlaskClient, store: GroupStore) -> None:
    def expires(**members: Any) -> tuple[Any, float]:
        group_id = post(http, **members)
        assert http.get(f"/status/{group_id}").get_json()["expires_at"] is None
        store.cancel(group_id)
        status = http.get(f"/status/{group_id}").get_json()
        ended = datetime.fromisoformat(status["finished_at"])
        return status, (datetime.fromisoformat(status["expires_at"]) - ended).total_seconds()

    assert expires()[1] == 24 * 3600
    assert expires(keep_for=90)[1] == 90


def test_the_status_says_the_deadline(http: FlaskClient) -> None:
    assert http.get(f"/status/{post(http)}").get_json()["deadline"] is None
    deadline = in_seconds(3600)
    told = http.get(f"/status/{post(http, deadline=deadline)}").get_json()["deadline"]
    assert datetime.fromisoformat(told) == datetime.fromisoformat(deadline)


def test_the_outputs_of_an_image_are_in_its_status_and_can_be_had(app: Flask, http: FlaskClient) -> None:
    group_id = post(http, outputs=OUTPUTS)
    before = http.get(f"/status/{group_id}").get_json()
    assert (before["outputs"], "outputs" in before["images"][0]) == (["thumb", "web"], False)
    results = {"thumb": png("green"), "web": png("blue")}
    finish(app, group_id, results)
    image = http.get(f"/status/{group_id}").get_json()["images"][0]
    assert (image["state"], image["url"], image["file"]) == ("succeeded", None, None)
    assert image["outputs"]["thumb"] == {
        "url": f"/images/{group_id}/0?output=thumb",
        "file": "thumb/image-0.png",
        "width": 8,
        "height": 6,
        "bytes": len(results["thumb"]),
    }
    for name, data in results.items():
        answer = http.get(image["outputs"][name]["url"], buffered=True)
        assert (answer.status_code, answer.data) == (200, data)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "Name an output as `?output=`. The outputs of this group are thumb, web."),
        ("?output=large", "There is no output 'large'. The outputs of this group are thumb, web."),
    ],
)
def test_an_output_that_there_is_not_is_not_found(app: Flask, http: FlaskClient, query: str, says: str) -> None:
    group_id = post(http, outputs=OUTPUTS)
    finish(app, group_id, {"thumb": png(), "web": png()})
    answer = http.get(f"/images/{group_id}/0{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "result_not_available")
    assert answer.get_json()["detail"] == says


def test_the_archive_has_a_folder_for_each_output(app: Flask, http: FlaskClient) -> None:
    group_id = post(http, outputs=OUTPUTS)
    results = {"thumb": png("green"), "web": png("blue")}
    finish(app, group_id, results)
    archive = zipfile.ZipFile(io.BytesIO(http.get(f"/archive/{group_id}", buffered=True).data))
    assert archive.namelist() == ["manifest.json", "thumb/image-0.png", "web/image-0.png"]
    assert archive.read("web/image-0.png") == results["web"]
    manifest = json.loads(archive.read("manifest.json"))
    assert manifest["outputs"] == WRITTEN
    assert manifest["images"][0]["outputs"]["thumb"]["file"] == "thumb/image-0.png"


def test_other_outputs_make_another_request(http: FlaskClient) -> None:
    def asked(**members: Any) -> int:
        body = {"images": [PICTURE], **members}
        return http.post("/process_images", json=body, headers={"Idempotency-Key": "of-the-outputs"}).status_code

    assert [asked(outputs=OUTPUTS), asked(outputs=OUTPUTS), asked(), asked(outputs=OUTPUTS, keep_for=9)] == [
        202,
        202,
        422,
        422,
    ]
