"""What the API is told."""

import pytest
from darkroom_api.settings import ApiSettings
from darkroom_runtime.settings import load


def test_keys_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_API_KEYS", " one, two ,,")
    assert [key.get_secret_value() for key in load(ApiSettings).api_keys] == ["one", "two"]


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
