"""What the API is told."""

import pytest
from darkroom_api.settings import ApiSettings
from darkroom_runtime.settings import load


def test_keys_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_API_KEYS", " one, two ,,")
    assert [key.secret.get_secret_value() for key in load(ApiSettings).api_keys] == ["one", "two"]


def test_a_key_can_have_a_name_before_a_colon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_API_KEYS", "ada:secret:with-a-colon,bob:other,bare")
    ada, bob, bare = load(ApiSettings).api_keys
    assert (ada.name, ada.secret.get_secret_value(), bob.name) == ("ada", "secret:with-a-colon", "bob")
    assert bare == load(ApiSettings).api_keys[2]
    assert bare.name.startswith("key-")
    assert "bare" not in bare.name


@pytest.mark.parametrize("key", ["Ada:s3cret", ":s3cret", "s3cret:", f"{'a' * 33}:s3cret"])
def test_a_name_of_another_form_is_refused_without_telling_the_key(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("DARKROOM_API_KEYS", key)
    with pytest.raises(SystemExit, match=r"DARKROOM_API_KEYS is wrong: .*name:secret") as refused:
        load(ApiSettings)
    assert "s3cret" not in str(refused.value)


def test_without_keys_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_API_KEYS", "")
    assert load(ApiSettings).api_keys == ()


def test_a_key_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_API_KEYS", "very-secret")
    assert "very-secret" not in repr(load(ApiSettings))


def test_a_wrong_setting_ends_the_process_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_MAX_IMAGES", "many")
    with pytest.raises(SystemExit, match="DARKROOM_MAX_IMAGES is wrong"):
        load(ApiSettings)


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("https://example.org/darkroom?a=b", "no [?] and no #"),
        ("https://example.org/dark%20room", "letters, digits"),
        ("https://example.org//darkroom", "letters, digits"),
        ("https://example.org/images/darkroom", "must not begin with /images"),
    ],
)
def test_a_public_url_that_no_link_can_begin_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str, wrong: str
) -> None:
    monkeypatch.setenv("DARKROOM_PUBLIC_URL", url)
    with pytest.raises(SystemExit, match=rf"DARKROOM_PUBLIC_URL is wrong.*{wrong}"):
        load(ApiSettings)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://example.org", ""),
        ("https://example.org/", ""),
        ("https://example.org/darkroom", "/darkroom"),
        ("https://example.org/our/darkroom-2/", "/our/darkroom-2"),
    ],
)
def test_the_path_of_the_public_url_has_no_slash_at_its_end(
    monkeypatch: pytest.MonkeyPatch, url: str, path: str
) -> None:
    monkeypatch.setenv("DARKROOM_PUBLIC_URL", url)
    assert load(ApiSettings).public_path == path
