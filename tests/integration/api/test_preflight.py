"""What /process_images would say, without doing it."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import files_in, png

PICTURE = base64.b64encode(png()).decode()


def ask(http: FlaskClient, *images: Any, **members: Any) -> Any:
    return http.post("/preflight", json={"images": list(images), **members})


def test_each_image_is_told_apart(http: FlaskClient) -> None:
    bad = base64.b64encode(b"hello").decode()
    told = ask(http, {"data": PICTURE, "name": "a.png"}, bad).get_json()
    assert (told["accepted"], told["status"], told["error"], told["total"]) == (True, 202, None, 2)
    assert told["images"][0] == {
        "index": 0,
        "name": "a.png",
        "accepted": True,
        "format": "png",
        "width": 8,
        "height": 6,
        "bytes": len(png()),
        "error": None,
        "code": None,
    }
    assert (told["images"][1]["accepted"], told["images"][1]["code"]) == (False, "unsupported_image")
    assert told["images"][1]["error"].startswith("Unsupported image format")


def test_it_says_what_would_be_done(http: FlaskClient) -> None:
    own = {"data": PICTURE, "operations": []}
    outputs = {"a": [{"op": "flip"}], "b": []}
    told = ask(http, PICTURE, own, operations=[{"op": "blur"}], outputs=outputs).get_json()
    assert (told["results"], told["operations"]) == (4, 3)
    assert (told["bytes"], told["pixels"]) == (2 * len(png()), 96)
    assert told["limits"]["max_images"] == 1000
    assert told["limits"]["max_operations"] == 20


def test_it_says_which_refusal_there_would_be(http: FlaskClient) -> None:
    body = {"images": [base64.b64encode(b"hello").decode()]}
    told, refused = http.post("/preflight", json=body), http.post("/process_images", json=body)
    assert told.status_code == 200
    expected = {"accepted": False, **{name: refused.get_json()[name] for name in ("status", "error", "code")}}
    assert {name: told.get_json()[name] for name in expected} == expected


@pytest.mark.parametrize("body", [{}, {"images": []}, {"images": [PICTURE], "operations": [{"op": "blurr"}]}])
def test_a_request_that_is_not_understood_is_answered_alike(http: FlaskClient, body: dict[str, Any]) -> None:
    told, refused = http.post("/preflight", json=body), http.post("/process_images", json=body)
    assert (told.status_code, told.get_json()) == (refused.status_code, refused.get_json())


def test_nothing_of_it_is_kept(http: FlaskClient, redis: Redis, storage_dir: Path) -> None:
    before = files_in(storage_dir)
    form = {"images": [(io.BytesIO(png()), "a.png")], "email": "me@example.com", "notify": "true"}
    told = http.post("/preflight", data=form)
    assert told.get_json()["images"][0]["format"] == "png"
    told.close()
    assert ask(http, PICTURE).status_code == 200
    assert list(redis.scan_iter("*")) == []
    assert files_in(storage_dir) == before
