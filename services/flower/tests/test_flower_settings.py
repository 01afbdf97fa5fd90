"""What Flower is told."""

import pytest
from darkroom_flower.settings import FlowerSettings
from darkroom_runtime.settings import load


@pytest.mark.parametrize(
    ("given", "path"), [("", ""), ("/", ""), ("/flower", "/flower"), ("/our/flower/", "/our/flower")]
)
def test_its_path_has_no_slash_at_its_end(monkeypatch: pytest.MonkeyPatch, given: str, path: str) -> None:
    monkeypatch.setenv("DARKROOM_FLOWER_PATH", given)
    assert load(FlowerSettings).flower_path == path


@pytest.mark.parametrize("given", ["flower", "/fl ower", "//flower", "https://example.org/flower"])
def test_what_is_no_path_is_refused(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("DARKROOM_FLOWER_PATH", given)
    with pytest.raises(SystemExit, match="DARKROOM_FLOWER_PATH is wrong"):
        load(FlowerSettings)
