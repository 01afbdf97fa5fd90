"""Named pipelines and outputs, and keys that are limited to some of them."""

import base64
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.formats import Metadata
from darkroom_imaging.operations import Convert, Grayscale, Resize, write_pipeline
from darkroom_records.groups import Group
from darkroom_runtime.settings import load
from flask import Flask
from flask.testing import FlaskClient
from support.api_cases import close, png, post_files

ROOT = Path(__file__).parents[3]
PICTURE = base64.b64encode(png()).decode()
FILE = """
[presets.grey]
description = "Without colour"
operations = [{ op = "grayscale" }]

[presets.shop]
metadata = "copyright"
[presets.shop.outputs]
small = [{ op = "resize", width = 4 }]
web = [{ op = "convert", format = "webp" }]

[keys.kiosk]
presets = ["grey"]
"""
OUTPUTS = {"small": write_pipeline((Resize(width=4),)), "web": write_pipeline((Convert(format="webp"),))}
Read = Callable[[Any], Group]


@pytest.fixture
def app(redis_url: str, storage_dir: Path, tmp_path: Path) -> Iterator[Flask]:
    """An API with presets, and a key that is limited to one of them."""
    file = tmp_path / "presets.toml"
    file.write_text(FILE)
    settings = {"redis_url": redis_url, "storage_dir": storage_dir, "presets": file, "api_keys": "ada:free,kiosk:bound"}
    app = create_app(ApiSettings.model_validate(settings))
    yield app
    close(app)


@pytest.fixture
def read(app: Flask) -> Read:
    """Reads the group that an answer tells of."""

    def read(answer: Any) -> Group:
        assert answer.status_code == 202, answer.text
        group: Group = app.extensions["darkroom"].groups.read(answer.get_json()["group_id"])
        return group

    return read


def post(http: FlaskClient, key: str = "free", path: str = "/process_images", **members: Any) -> Any:
    return http.post(path, json={"images": [PICTURE], **members}, headers={"Authorization": f"Bearer {key}"})


def test_a_preset_stands_for_its_operations_and_outputs(http: FlaskClient, read: Read) -> None:
    grey, shop = read(post(http, preset="grey")), read(post(http, preset="shop"))
    assert (grey.pipeline, grey.outputs, grey.metadata) == (write_pipeline((Grayscale(),)), {}, Metadata.NONE)
    assert (shop.pipeline, shop.outputs, shop.metadata) == ([], OUTPUTS, Metadata.COPYRIGHT)


def test_a_form_names_a_preset_as_well(http: FlaskClient, read: Read) -> None:
    answer = post_files(http, [("a.png", png())], headers={"Authorization": "Bearer free"}, preset="shop")
    assert read(answer).outputs == OUTPUTS


def test_metadata_and_operations_of_an_item_go_before_the_presets(http: FlaskClient, read: Read) -> None:
    item = {"data": PICTURE, "operations": [{"op": "resize", "width": 2}]}
    group = read(post(http, preset="shop", metadata="none", images=[item]))
    assert group.metadata is Metadata.NONE
    assert group.images[0].pipeline == write_pipeline((Resize(width=2),))


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"preset": "none"}, "preset: unknown preset 'none'; this server has grey, shop"),
        ({"preset": "grey", "operations": []}, "a preset cannot be combined with operations or outputs"),
        ({"preset": "grey", "outputs": {"a": []}}, "a preset cannot be combined with operations or outputs"),
    ],
)
def test_a_preset_that_cannot_be_used_is_refused(http: FlaskClient, members: dict[str, Any], says: str) -> None:
    answer = post(http, **members)
    assert (answer.status_code, answer.get_json()["error"]) == (422, says)


def test_the_presets_are_listed_with_what_they_do(http: FlaskClient) -> None:
    listed = http.get("/presets", headers={"Authorization": "Bearer free"}).get_json()["presets"]
    assert [preset["name"] for preset in listed] == ["grey", "shop"]
    assert listed[0] == {
        "name": "grey",
        "description": "Without colour",
        "operations": [{"op": "grayscale"}],
        "outputs": {},
        "metadata": "none",
    }
    assert listed[1]["outputs"] == OUTPUTS
    assert http.get("/presets").status_code == 401


def test_a_limited_key_sees_and_uses_its_own_presets(http: FlaskClient, read: Read) -> None:
    listed = http.get("/presets", headers={"Authorization": "Bearer bound"}).get_json()["presets"]
    assert [preset["name"] for preset in listed] == ["grey"]
    assert read(post(http, "bound", preset="grey")).owner == "key:kiosk"


@pytest.mark.parametrize("path", ["/process_images", "/preflight"])
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"preset": "shop"},
        {"operations": [{"op": "blur"}]},
        {"preset": "grey", "images": [{"data": PICTURE, "operations": []}]},
    ],
)
def test_a_limited_key_is_refused_everything_else(http: FlaskClient, members: dict[str, Any], path: str) -> None:
    answer = post(http, "bound", path, **members)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "preset_not_allowed")
    assert answer.get_json()["detail"].endswith("no operations of your own: grey.")


def test_a_limited_key_may_not_blur(http: FlaskClient) -> None:
    form = {"email": "me@example.com", "images": (io.BytesIO(png()), "a.png")}
    answer = http.post("/blur", data=form, headers={"Authorization": "Bearer bound"})
    assert (answer.status_code, answer.get_json()["code"]) == (403, "preset_not_allowed")


def test_the_document_names_the_presets_of_this_server(http: FlaskClient) -> None:
    for _ in range(2):
        schemas = http.get("/openapi.json").get_json()["components"]["schemas"]
    assert schemas["ProcessImages"]["properties"]["preset"]["anyOf"][0]["enum"] == ["grey", "shop"]
    assert schemas["ProcessImagesForm"]["properties"]["preset"]["enum"] == ["grey", "shop"]


def test_where_there_are_no_presets_the_document_names_no_such_member(redis_url: str, storage_dir: Path) -> None:
    app = create_app(ApiSettings.model_validate({"redis_url": redis_url, "storage_dir": storage_dir}))
    for _ in range(2):
        schemas = app.test_client().get("/openapi.json").get_json()["components"]["schemas"]
        assert "preset" not in schemas["ProcessImages"]["properties"]
    close(app)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[presets.a", "is not valid TOML: "),
        ("[preset.a]", ": preset: unknown field"),
        ("[presets.A]", ": presets.A: has the wrong format"),
        (
            '[presets.a]\noperations = [{ op = "blur", radius = 0 }]',
            r": presets.a.operations\[0\].radius: must be greater than 0",
        ),
        ('[presets.a]\noperations = [{ op = "blurr" }]', r": presets.a.operations\[0\]: unknown operation 'blurr'"),
        ('[presets.a]\nmetadata = "some"', ": presets.a.metadata: must be 'none', 'copyright' or 'all'"),
        ("[presets.a]\n[keys.eve]\npresets = ['a']", ": keys.eve: DARKROOM_API_KEYS has no key of this name"),
        ("[presets.a]\n[keys.ada]\npresets = ['b']", ": keys.ada.presets: there is no preset 'b'"),
    ],
)
def test_a_wrong_file_stops_the_start_with_the_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, wrong: str
) -> None:
    file = tmp_path / "presets.toml"
    file.write_text(text)
    monkeypatch.setenv("DARKROOM_PRESETS", str(file))
    monkeypatch.setenv("DARKROOM_API_KEYS", "ada:secret")
    monkeypatch.setenv("DARKROOM_LOG_FORMAT", "console")
    with pytest.raises(SystemExit, match=f"^The setting DARKROOM_PRESETS is wrong: {file}.*{wrong}"):
        load(ApiSettings)


def test_a_file_that_is_not_there_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_PRESETS", "/nowhere/presets.toml")
    with pytest.raises(SystemExit, match=r"/nowhere/presets[.]toml cannot be read: No such file"):
        load(ApiSettings)


def test_an_empty_file_and_the_example_can_be_used() -> None:
    for path in (Path("/dev/null"), ROOT / "docs/examples/presets.toml"):
        assert ApiSettings(presets=path).presets == path
