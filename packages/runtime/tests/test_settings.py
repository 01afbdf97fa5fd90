"""Settings come from the environment, once, and a wrong one is named."""

import pytest
from darkroom_runtime.settings import Settings, load


def test_it_starts_with_no_setting_at_all() -> None:
    assert load(Settings).redis_address() == "redis://127.0.0.1:6379/0"


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_REDIS_PASSWORD", "")
    assert load(Settings).redis_password is None


def test_a_password_may_hold_any_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_REDIS_PASSWORD", "a@b:c/d")
    assert load(Settings).redis_address() == "redis://:a%40b%3Ac%2Fd@127.0.0.1:6379/0"


def test_a_password_does_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_REDIS_PASSWORD", "hunter2")
    assert "hunter2" not in repr(load(Settings))


def test_a_wrong_setting_ends_the_process_with_its_name_and_not_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_LOG_LEVEL", "deafening")
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    assert "DARKROOM_LOG_LEVEL" in str(ended.value)
    assert "deafening" not in str(ended.value)


def test_a_wrong_setting_is_explained_in_words_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_LOG_LEVEL", "deafening")
    with pytest.raises(SystemExit, match="DARKROOM_LOG_LEVEL is wrong: must be 'debug', 'info', 'warning' or"):
        load(Settings)
