"""The page in a real browser, over a real API."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from support.live_api import live_api
from support.redis_server import RedisServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# Without a sandbox, so that it runs as root in a container, too; and without a word to anybody but this machine.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]

PATIENCE = 60_000
"""Milliseconds that anything expected of the page may take, on a machine that has much else to do."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    if not CHROMIUM:
        pytest.skip("No Chromium on this machine; on Debian: apt install chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis of one's own."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where originals and results are kept."""
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="session")
def api_url(redis_url: str, storage: Path) -> Iterator[str]:
    """An API with limits that a test can reach."""
    settings = {
        "DARKROOM_MAX_IMAGE_BYTES": "2500000",
        "DARKROOM_MAX_REQUEST_BYTES": "4000000",
        "DARKROOM_MAX_IMAGES": "1200",
        "DARKROOM_MAX_PIXELS": "30000000",
        "DARKROOM_KEEP_RESULTS": "7200",
    }
    with live_api(redis_url, storage, settings) as api:
        yield api.url


@pytest.fixture
def page(browser: Browser, api_url: str) -> Iterator[Page]:
    """The page, just opened. Fails where one of its scripts does."""
    context = browser.new_context(base_url=api_url)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/")
    yield page
    context.close()
    assert not errors
