"""What files are called, from the request to every place where they are handed out."""

import io
import json
import zipfile
from urllib.parse import unquote

from darkroom_records.groups import GroupStore
from flask import Flask
from flask.testing import FlaskClient
from support.api_cases import MISSING, finish, png, post_files


def raw_form(*parts: tuple[str, bytes]) -> tuple[bytes, str]:
    """A form whose parts `images` have Content-Dispositions with these parameters."""
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="images"' + f"{more}\r\n\r\n".encode() + data + b"\r\n"
        for more, data in parts
    )
    return body + b"--x--\r\n", "multipart/form-data; boundary=x"


def test_status_downloads_manifest_and_archive_agree(app: Flask, http: FlaskClient, store: GroupStore) -> None:
    given = [
        "scan.1",
        "scan.2",
        "2024/sea/a.jpg",
        "2024/Sea/a.png",
        "../../b.jpg",
        "nul.png",
        "👩\u200d👧 Grüße.jpg",
        'a"b;c.png',
    ]
    expected = [
        "scan.1.png",
        "scan.2.png",
        "2024/sea/a.png",
        "2024/sea/a (2).png",
        "b.png",
        "_nul.png",
        "👩\u200d👧 Grüße.png",
        "a_b;c.png",
    ]
    body = {"images": [{"data": "data:," + "".join(f"%{byte:02x}" for byte in png()), "name": name} for name in given]}
    group_id = http.post("/process_images", json=body).get_json()["group_id"]
    for index in range(len(given)):
        finish(store, app.extensions["darkroom"].storage, group_id, index, png())
    status = http.get(f"/status/{group_id}").get_json()
    assert [image["file"] for image in status["images"]] == expected
    with zipfile.ZipFile(io.BytesIO(http.get(f"/archive/{group_id}").data)) as archive:
        assert sorted(archive.namelist()) == sorted([*expected, "manifest.json"])
        manifest = json.loads(archive.read("manifest.json"))
    assert [image["file"] for image in manifest["images"]] == expected
    for index, path in enumerate(expected):
        disposition = http.get(f"/images/{group_id}/{index}", buffered=True).headers["Content-Disposition"]
        name = path.rpartition("/")[2]
        encoded = disposition.partition("filename*=UTF-8''")[2]
        assert unquote(encoded) == name if encoded else name in disposition


def test_a_file_without_a_name_is_taken(http: FlaskClient) -> None:
    body, kind = raw_form(('; filename=""', png()), ('; filename="a.png"', png("blue")), ('; filename=""', b""))
    answer = http.post("/process_images", data=body, content_type=kind)
    assert (answer.status_code, answer.get_json()["total"]) == (202, 2)
    images = http.get(answer.get_json()["status_url"]).get_json()["images"]
    assert [image["name"] for image in images] == ["image-0", "a.png"]


def test_no_file_chosen_is_no_image(http: FlaskClient) -> None:
    body, kind = raw_form(('; filename=""', b""))
    answer = http.post("/process_images", data=body, content_type=kind)
    assert (answer.status_code, answer.get_json()["error"]) == (400, MISSING)


def test_the_manifest_says_what_was_done_with_every_argument(app: Flask, http: FlaskClient, store: GroupStore) -> None:
    answer = post_files(http, [("a.png", png())], [{"op": "blur"}, {"op": "convert", "format": "png"}])
    group_id = answer.get_json()["group_id"]
    finish(store, app.extensions["darkroom"].storage, group_id, 0, png())
    with zipfile.ZipFile(io.BytesIO(http.get(f"/archive/{group_id}").data)) as archive:
        (image,) = json.loads(archive.read("manifest.json"))["images"]
    assert image["operations"] == [
        {"op": "blur", "radius": 5.0, "regions": None},
        {"op": "convert", "format": "png", "quality": None, "keep_profile": False},
    ]
