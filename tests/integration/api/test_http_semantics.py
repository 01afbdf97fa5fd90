"""What HTTP itself says a server does: methods, ranges, conditions, queries, and where work can be followed."""

import base64
import io
import json
from typing import Any

import pytest
from darkroom_records.groups import GroupStore
from flask import Flask
from flask.testing import FlaskClient
from support.api_cases import finish, png, post_files

RESULT = png("green")
SIZE = len(RESULT)
GOOD = base64.b64encode(png()).decode()


@pytest.fixture
def group(app: Flask, http: FlaskClient, store: GroupStore) -> str:
    """A group of one image that is done."""
    group_id: str = post_files(http, [("a.png", png())]).get_json()["group_id"]
    finish(store, app.extensions["darkroom"].storage, group_id, 0, RESULT)
    return group_id


@pytest.mark.parametrize(
    "given",
    [
        "items=0-1",
        "bytes",
        "bytes=",
        "bytes=x",
        "bytes=5-2",
        "bytes=1",
        "bytes=--1",
        "bytes=0-1,x",
        "bytes=0-1,5-6",
        "bytes=1-2;3-4",
        "bytes=٣-٤",
        "bytes: 0-1",
    ],
)
def test_a_range_that_is_not_understood_or_not_single_gives_the_whole_file(
    http: FlaskClient, group: str, given: str
) -> None:
    answer = http.get(f"/images/{group}/0", headers={"Range": given.encode().decode("latin-1")}, buffered=True)
    assert (answer.status_code, answer.data) == (200, RESULT)
    assert "Content-Range" not in answer.headers


@pytest.mark.parametrize(
    ("given", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("Bytes=4-", 4, SIZE - 1),
        ("bytes=-4", SIZE - 4, SIZE - 1),
        ("bytes=-99999999", 0, SIZE - 1),
        (f"bytes=2-{'9' * 5000}", 2, SIZE - 1),
        ("bytes=0-1,99999999-", 0, 1),
        ("bytes=, 3-5 ,", 3, 5),
    ],
)
def test_one_range_that_the_file_has_gives_that_part(
    http: FlaskClient, group: str, given: str, first: int, last: int
) -> None:
    answer = http.get(f"/images/{group}/0", headers={"Range": given}, buffered=True)
    assert (answer.status_code, answer.data) == (206, RESULT[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last - first + 1)


@pytest.mark.parametrize("given", ["bytes=99999999-", "bytes=-0", "bytes=99999999-,-0", f"bytes={'9' * 5000}-"])
def test_ranges_beyond_the_file_are_refused(http: FlaskClient, group: str, given: str) -> None:
    answer = http.get(f"/images/{group}/0", headers={"Range": given}, buffered=True)
    assert (answer.status_code, answer.get_json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"


def test_if_range_gives_the_part_only_of_the_same_file(http: FlaskClient, group: str) -> None:
    etag = http.get(f"/images/{group}/0", buffered=True).headers["ETag"]
    for tag, status in ((etag, 206), (f"W/{etag}", 200), ('"other"', 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200)):
        answer = http.get(f"/images/{group}/0", headers={"Range": "bytes=0-1", "If-Range": tag}, buffered=True)
        assert answer.status_code == status, tag


def test_conditions_come_before_ranges(http: FlaskClient, group: str) -> None:
    etag = http.get(f"/images/{group}/0", buffered=True).headers["ETag"]
    known = http.get(f"/images/{group}/0", headers={"Range": "bytes=0-1", "If-None-Match": etag}, buffered=True)
    assert known.status_code == 304
    other = http.get(f"/images/{group}/0", headers={"If-Match": '"other"'}, buffered=True)
    assert (other.status_code, other.get_json()["code"]) == (412, "precondition_failed")
    assert http.get(f"/images/{group}/0", headers={"If-Match": etag}, buffered=True).status_code == 200


def test_a_range_means_nothing_to_head(http: FlaskClient, group: str) -> None:
    answer = http.head(f"/images/{group}/0", headers={"Range": "bytes=0-1"}, buffered=True)
    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(SIZE))


@pytest.mark.parametrize(
    ("path", "allowed"), [("/add/1/2", {"GET", "OPTIONS"}), ("/send_images/x", {"GET", "POST", "OPTIONS"})]
)
def test_looking_changes_nothing(app: Flask, http: FlaskClient, path: str, allowed: set[str]) -> None:
    before = sorted(app.extensions["darkroom"].redis.keys("*"))
    answer = http.head(path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == allowed
    options = http.options(path)
    assert set(options.headers["Allow"].split(", ")) == allowed
    assert sorted(app.extensions["darkroom"].redis.keys("*")) == before


def test_unknown_query_parameters_are_refused_everywhere(http: FlaskClient) -> None:
    document = http.get("/openapi.json").get_json()
    tried = 0
    for path, operations in document["paths"].items():
        if "{token}" in path:  # links in emails, to which mail programs add parameters
            continue
        for method in operations:
            answer = http.open(path.replace("{", "").replace("}", ""), method=method, query_string={"colour": "red"})
            if answer.status_code == 404:  # the path's parameters are not of the right kind
                continue
            assert (answer.status_code, answer.get_json()["error"]) == (422, "colour: unknown query parameter"), path
            tried += 1
    assert tried > 15


def test_a_query_parameter_is_given_once(http: FlaskClient, group: str) -> None:
    answer = http.get(f"/status/{group}?images=false&images=true")
    assert (answer.status_code, answer.get_json()["error"]) == (422, "images: is given more than once")


def test_what_is_accepted_says_where_it_can_be_followed(http: FlaskClient) -> None:
    taken = post_files(http, [("a.png", png())])
    assert taken.headers["Location"] == taken.get_json()["status_url"]
    task = http.get("/add/1/2")
    assert task.headers["Location"] == f"/tasks/{task.get_json()['id']}"
    assert http.get(task.headers["Location"]).status_code == 200
    document = http.get("/openapi.json").get_json()
    for operations in document["paths"].values():
        for operation in operations.values():
            for status in {"201", "202"} & operation["responses"].keys():
                assert "Location" in operation["responses"][status]["headers"]


@pytest.mark.parametrize(
    "operations",
    ["[" * 5000, '[{"op":' * 3000, "1" * 5000, "[1,]", "{", "", "nul", '["\\ud800"]', "[" * 199 + "]" * 199],
)
def test_broken_json_in_a_form_is_named_with_its_field(http: FlaskClient, operations: str) -> None:
    error = post_files(http, [("a.png", png())], operations).get_json()["error"]
    assert error.startswith(("operations: ", "operations[")), error
    assert "recursion" not in error


@pytest.mark.parametrize("path", ["/process_images", "/subscribe", "/tasks/count"])
@pytest.mark.parametrize(
    "body", ["[" * 5000, '{"a":' * 5000, "1" * 5000, "\xff", "", "{", '{"a": NaN', '{"a": "\\ud800"}']
)
def test_broken_json_is_refused_in_words_of_ours(http: FlaskClient, path: str, body: str) -> None:
    answer = http.post(path, data=body.encode("latin-1"), content_type="application/json")
    problem = answer.get_json()
    assert (answer.status_code, problem["code"]) == (400, "invalid_json")
    assert problem["detail"].startswith("The body is not valid JSON: "), problem["detail"]
    assert "recursion" not in problem["detail"]


@pytest.mark.parametrize("value", [None, True, 0, 1.5, 1e999, "x", [], {}, [[]], "\0"])
@pytest.mark.parametrize("member", ["operations", "email", "notify", "images"])
def test_no_sentence_of_a_library_reaches_anybody(http: FlaskClient, member: str, value: Any) -> None:
    text = http.post(
        "/process_images", data=json.dumps({"images": [GOOD], member: value}), content_type="application/json"
    ).text
    form: dict[str, Any] = {"images": (io.BytesIO(png()), "a.png"), member: json.dumps(value)}
    text += http.post("/process_images", data=form).text + http.get(f"/status/{'0' * 32}?wait={value}").text
    for words in ("Input should", "unable to", "Field required", "Extra inputs", "should have", "recursion limit"):
        assert words not in text
