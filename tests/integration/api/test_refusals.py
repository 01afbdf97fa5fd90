"""What bad input gets: a problem document that says what and where, and nothing stays behind."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from flask import Flask
from flask.testing import FlaskClient
from support.api_cases import MISSING, files_in, png, post_files
from support.redis_keys import lasting_keys
from werkzeug.test import TestResponse

GOOD = base64.b64encode(png()).decode()
UNKNOWN = "0" * 32


@pytest.fixture
def app(redis_url: str, storage_dir: Path) -> Iterator[Flask]:
    """An application that takes little."""
    app = create_app(
        ApiSettings(
            redis_url=redis_url,
            storage_dir=storage_dir,
            max_image_bytes=20_000,
            max_pixels=10_000,
            max_images=3,
            max_request_bytes=100_000,
            max_json_bytes=40_000,
        )
    )
    yield app
    app.extensions["darkroom"].close()


@pytest.fixture(autouse=True)
def nothing_stays_behind(app: Flask, storage_dir: Path) -> Iterator[None]:
    """Whatever was refused, Redis and the storage hold what they held before."""

    def kept() -> tuple[list[str], list[str]]:
        return lasting_keys(app.extensions["darkroom"].redis), files_in(storage_dir)

    before = kept()
    yield
    assert kept() == before


def refused(answer: TestResponse, status: int, error: str, detail: str = "") -> None:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    problem = answer.get_json()
    assert problem["status"] == status
    assert error in problem["error"]
    assert detail in problem["detail"]


@pytest.mark.parametrize("body", [{}, [], "x", None, {"images": None}, {"images": []}, {"images": "x"}, {"images": {}}])
def test_json_without_a_list_of_images(http: FlaskClient, body: Any) -> None:
    answer = http.post("/process_images", json=body)
    refused(answer, 400, MISSING)
    assert answer.get_json()["error"] == MISSING


@pytest.mark.parametrize("path", ["/process_images", "/blur"])
def test_a_form_without_files(http: FlaskClient, path: str) -> None:
    # The last is what a browser sends where no file was chosen.
    for form in ({}, {"email": "me@example.com"}, {"images": "text"}, {"images": (io.BytesIO(), "")}):
        answer = http.post(path, data=form, content_type="multipart/form-data")
        refused(answer, 400, MISSING)


def test_no_body_at_all(http: FlaskClient) -> None:
    refused(http.post("/process_images"), 400, MISSING)


def test_broken_json_says_where_it_breaks(http: FlaskClient) -> None:
    answer = http.post("/process_images", data='{"images": [', content_type="application/json")
    refused(answer, 400, "Invalid JSON", "line 1 column 12")
    refused(post_files(http, [("a.png", png())], "[{"), 422, "operations: is not valid JSON", "line 1 column 2")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"operations": [{"op": "blur"}, {"op": "blur", "radius": 0}]}, "operations[1].radius: "),
        ({"operations": [{"op": "sparkle"}]}, "operations[0]: unknown operation 'sparkle'; expected one of 'blur',"),
        ({"operations": [{"op": "blur", "sigma": 1}]}, "operations[0].sigma: unknown field"),
        ({"operations": [{"op": "resize"}]}, "operations[0]: resize needs a width, a height, or both"),
        (
            {"operations": [{"op": "watermark", "image_id": UNKNOWN}]},
            f"No such upload for a watermark: {UNKNOWN}",
        ),
        ({"operations": {}}, "operations: "),
        ({"email": "nobody"}, "email: "),
        (
            {"webhook_url": "http://example.com"},
            "webhook_url: webhooks are disabled until a secret",
        ),
        ({"colour": "red"}, "colour: unknown field"),
    ],
)
def test_wrong_members_are_named(http: FlaskClient, body: dict[str, Any], error: str) -> None:
    refused(http.post("/process_images", json={"images": [GOOD], **body}), 422, error)


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ({"image_id": "one"}, "images[1].image_id: has the wrong format"),
        ({"group_id": UNKNOWN}, "images[1].index: is missing"),
        ({"index": 0}, "images[1].group_id: is missing"),
        ({"group_id": UNKNOWN, "index": -1}, "images[1].index: must be at least 0"),
        ({"data": GOOD, "url": "https://example.com/a.jpg"}, "images[1]: must be a string, or an object with one of"),
        ({"data": GOOD, "operations": [{"op": "blur", "radius": "a"}]}, "images[1].operations[0].radius: "),
        ({}, "images[1]: must be a string, or an object with one of `data`, `url`, `image_id`, or `group_id` and"),
        (5, "images[1]: must be a string, or an object with one of"),
    ],
)
def test_an_item_of_the_wrong_kind_refuses_all(http: FlaskClient, item: Any, error: str) -> None:
    refused(http.post("/process_images", json={"images": [GOOD, item]}), 422, error)


def test_where_every_image_is_bad_each_is_named(http: FlaskClient) -> None:
    answer = http.post("/process_images", json={"images": ["!", base64.b64encode(b"hello").decode(), ""]})
    refused(answer, 422, "images[0]: Expected a data URI or base64 data", "images[2]: The file is empty")
    assert [mistake["where"] for mistake in answer.get_json()["errors"]] == ["images[0]", "images[1]", "images[2]"]
    refused(post_files(http, [("a", b"hello")]), 422, "images[0]: Unsupported image format")


def test_what_is_too_large_is_told_so(http: FlaskClient) -> None:
    large = png() + b"\0" * 20_001
    refused(post_files(http, [("a.png", large)]), 413, "images[0]: The file is too large")
    refused(
        post_files(http, [("a.png", png(size=(101, 100)))]),
        413,
        "images[0]: The image is too large: 101 × 100 px; the limit is 0.01 megapixels",
    )


def test_too_many_images(http: FlaskClient) -> None:
    refused(post_files(http, [("a.png", png())] * 4), 413, "the limit is 3")
    refused(http.post("/process_images", json={"images": [GOOD] * 4}), 413, "the limit is 3")


def test_too_large_a_body(http: FlaskClient) -> None:
    refused(post_files(http, [("a.png", b"\0" * 100_000)]), 413, "Request body too large")
    body = {"images": ["A" * 40_000]}
    refused(http.post("/process_images", json=body), 413, "at most 40,000 bytes", "multipart/form-data")


def test_another_type_of_body(http: FlaskClient) -> None:
    refused(http.post("/process_images", data=b"x", content_type="text/plain"), 415, "multipart/form-data")
    refused(http.post("/blur", json={}), 415, "multipart/form-data")


@pytest.mark.parametrize(
    "email", [None, "", "nobody", "a@b", "a@example.com\r\nBcc: b@example.com", "A <a@example.com>"]
)
def test_the_form_needs_a_valid_address(http: FlaskClient, email: str | None) -> None:
    form: dict[str, Any] = {"images": (io.BytesIO(png()), "a.png")} | ({} if email is None else {"email": email})
    refused(http.post("/blur", data=form), 422, "email: ")


@pytest.mark.parametrize("radius", ["0", "-1", "251", "nan", "inf", "five", ""])
def test_the_form_needs_a_radius_within_limits(http: FlaskClient, radius: str) -> None:
    form = {"images": (io.BytesIO(png()), "a.png"), "email": "me@example.com", "radius": radius}
    refused(http.post("/blur", data=form), 422, "radius: ")


def test_unknown_members_of_a_form(http: FlaskClient) -> None:
    refused(post_files(http, [("a.png", png())], colour="red"), 422, "colour: unknown field")
    form = {"images": (io.BytesIO(png()), "a.png"), "photo": (io.BytesIO(png()), "b.png")}
    refused(http.post("/process_images", data=form), 422, "photo: ", "files are sent as `images`")


@pytest.mark.parametrize("group_id", [UNKNOWN, "x", "0" * 31, "0" * 33, "..%2f..", "A" * 32, "٣" * 32])
def test_unknown_groups(http: FlaskClient, group_id: str) -> None:
    for path in (f"/status/{group_id}", f"/archive/{group_id}", f"/images/{group_id}/0"):
        answer = http.get(path)
        assert answer.status_code == 404
        if "%2f" not in group_id:
            assert answer.get_json()["error"] == "Invalid group_id"


def test_addresses_and_methods_that_there_are_not(http: FlaskClient) -> None:
    refused(http.get("/nowhere"), 404, "No such endpoint")
    answer = http.delete("/process_images")
    refused(answer, 405, "Method not allowed")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", f"/status/{'0' * 32}", "group_not_found"),
        ("GET", "/nothing", "endpoint_not_found"),
        ("PUT", "/process_images", "method_not_allowed"),
        ("POST", "/process_images", "missing_images"),
        ("GET", f"/tasks/{'0' * 32}", "task_not_found"),
        ("POST", "/send_email", "email_disabled"),
    ],
)
def test_a_problem_has_a_code_for_programs(http: FlaskClient, method: str, path: str, code: str) -> None:
    assert http.open(path, method=method).get_json()["code"] == code
