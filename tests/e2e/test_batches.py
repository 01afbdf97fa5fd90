"""Batches of pictures go through the whole system and come back as they were asked for."""

import base64
import hashlib
import json
from typing import Any

import pytest
import requests
from support.client import Client
from support.pictures import decode, encode, gaussian, photograph, pixels, psnr

pytestmark = pytest.mark.slow

SIGMA = 5.0
BLUR: list[dict[str, Any]] = [{"op": "blur", "radius": SIGMA}]


def as_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def post_json(client: Client, images: list[Any], operations: list[Any]) -> str:
    body = {"images": images, "operations": operations}
    answer = requests.post(f"{client.url}/process_images", json=body, timeout=60)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["group_id"])


def closeness_to_the_exact_blur(original: bytes, result: bytes) -> float:
    return psnr(pixels(decode(result)), gaussian(pixels(decode(original)), SIGMA))


def test_twelve_photographs_come_back_as_twelve_blurred_photographs(client: Client) -> None:
    photographs = {f"{n}.jpg": encode(photograph(seed=n)) for n in range(12)}
    group_id = client.start(photographs, BLUR)
    status = client.wait(group_id)
    assert (status["state"], status["status"], status["completed"]) == ("completed", 1, 12)
    for index, original in enumerate(photographs.values()):
        assert closeness_to_the_exact_blur(original, client.result(group_id, index)) > 38


def test_a_lossless_picture_is_blurred_as_the_formula_says(client: Client) -> None:
    original = encode(photograph(), "PNG")
    group_id = client.start({"one.png": original}, BLUR)
    client.wait(group_id)
    result = client.result(group_id, 0)
    assert decode(result).format == "PNG"
    assert closeness_to_the_exact_blur(original, result) > 45


def test_json_items_may_be_data_uris_base64_or_objects_with_names(client: Client) -> None:
    originals = [encode(photograph(seed=n), "PNG") for n in range(3)]
    uri, bare, named = (as_base64(original) for original in originals)
    images = [f"data:image/png;base64,{uri}", bare, {"data": named, "name": "third.png"}]
    group_id = post_json(client, images, BLUR)
    status = client.wait(group_id)
    assert status["state"] == "completed"
    assert status["images"][2]["name"] == "third.png"
    for index, original in enumerate(originals):
        assert closeness_to_the_exact_blur(original, client.result(group_id, index)) > 45


def test_the_form_of_the_page_blurs_its_files(client: Client) -> None:
    original = encode(photograph(), "PNG")
    answer = requests.post(
        f"{client.url}/blur",
        data={"email": "someone@example.com", "radius": str(SIGMA)},
        files=[("images", ("one.png", original))],
        timeout=60,
    )
    assert answer.status_code == 202, answer.text
    group_id = answer.json()["group_id"]
    assert client.wait(group_id)["state"] == "completed"
    assert closeness_to_the_exact_blur(original, client.result(group_id, 0)) > 45


def test_operations_are_applied_in_their_order(client: Client) -> None:
    operations: list[dict[str, Any]] = [{"op": "resize", "width": 160}, *BLUR, {"op": "convert", "format": "webp"}]
    group_id = client.start({"one.jpg": encode(photograph(320, 240))}, operations)
    image = client.wait(group_id)["images"][0]
    result = decode(client.result(group_id, 0))
    assert (result.format, result.size) == ("WEBP", (160, 120))
    assert (image["width"], image["height"]) == (160, 120)


def test_one_bad_image_fails_alone_and_says_why(client: Client) -> None:
    good = encode(photograph())
    files = {"first.jpg": good, "broken.jpg": good[: len(good) // 2], "third.jpg": good}
    group_id = client.start(files, BLUR)
    status = client.wait(group_id)
    assert (status["state"], status["completed"], status["failed"]) == ("partial", 2, 1)
    assert [image["state"] for image in status["images"]] == ["succeeded", "failed", "succeeded"]
    assert status["images"][1]["error"]
    assert requests.get(f"{client.url}/images/{group_id}/1", timeout=30).status_code == 404


def test_the_archive_holds_every_result_and_a_true_manifest(client: Client) -> None:
    files = {"same.jpg": encode(photograph(seed=1)), "other.png": encode(photograph(seed=2), "PNG")}
    group_id = client.start(files, BLUR)
    client.wait(group_id)
    archive = client.archive(group_id)
    manifest = json.loads(archive.pop("manifest.json"))
    results = [client.result(group_id, index) for index in range(len(files))]
    assert sorted(archive.values()) == sorted(results)
    assert [image["sha256"] for image in manifest["images"]] == [hashlib.sha256(data).hexdigest() for data in results]
