"""What somebody sees who uses the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect
from support.live_api import live_api
from support.live_worker import live_worker
from support.pictures import encode, photograph

pytestmark = [pytest.mark.browser, pytest.mark.slow]

expect.set_options(timeout=60_000)
UNKNOWN = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def worker(redis_url: str, storage: Path) -> Iterator[None]:
    with live_worker(redis_url, storage):
        yield


def choose(page: Page, *photographs: bytes) -> None:
    files = [
        FilePayload(name=f"{number}.jpg", mimeType="image/jpeg", buffer=data) for number, data in enumerate(photographs)
    ]
    page.locator("#files").set_input_files(files)


def submit(page: Page) -> None:
    choose(page, encode(photograph()))
    page.locator("#send").click()
    expect(page.locator("#batch")).to_be_visible()


# First, while no worker runs.
def test_a_batch_that_nobody_works_on_says_so(page: Page) -> None:
    submit(page)
    expect(page.locator("#waiting")).to_have_text("No worker is running. Images wait until one is started.")


def test_every_limit_is_told_with_its_number(page: Page) -> None:
    text = re.sub(r"\s+", " ", page.locator("#limits").inner_text())
    assert text == "Up to 1,200 at once and 4 MB in total; each up to 2.5 MB and 30 megapixels"


def test_what_is_over_a_limit_is_told_before_it_is_sent(page: Page) -> None:
    choose(page, bytes(2_600_000), bytes(900_000))
    expect(page.locator("#chosen")).to_contain_text("Over the limit of 2.5 MB, will fail: 0.jpg.")
    expect(page.locator("#send")).to_be_enabled()
    choose(page, bytes(2_400_000), bytes(2_400_000))
    expect(page.locator("#chosen")).to_contain_text("A batch can have at most 4 MB: choose fewer photographs.")
    expect(page.locator("#send")).to_be_disabled()


@pytest.mark.usefixtures("worker")
def test_back_leads_from_a_batch_to_the_form_and_forward_to_the_batch(page: Page) -> None:
    submit(page)
    expect(page.locator("#archive")).to_be_visible()
    expect(page.locator("#waiting")).to_be_hidden()
    page.go_back()
    expect(page.locator("#batch")).to_be_hidden()
    expect(page.locator("#notice")).to_be_hidden()
    expect(page.locator("#send")).to_be_enabled()
    page.go_forward()
    expect(page.locator("#archive")).to_be_visible()
    expect(page.locator("#applied")).to_contain_text("blurred with a radius of 5 px")


@pytest.mark.usefixtures("worker")
def test_a_new_batch_is_begun_with_an_empty_form(page: Page) -> None:
    submit(page)
    page.locator("#again").click()
    expect(page.locator("#batch")).to_be_hidden()
    expect(page.locator("#send")).to_be_disabled()
    assert page.url.endswith("/")


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        (UNKNOWN, "Batch not found. It may have expired: batches are kept for 2 hours."),
        (UNKNOWN[:20], "This link is incomplete."),
    ],
)
def test_a_link_that_leads_nowhere_says_so(page: Page, link: str, sentence: str) -> None:
    page.goto(f"/#{link}")
    expect(page.locator("#notice")).to_have_text(sentence)
    expect(page.locator("#batch")).to_be_hidden()


def test_a_server_that_is_away_is_told_of(page: Page) -> None:
    page.route("**/status/**", lambda route: route.abort())
    page.goto(f"/#{UNKNOWN}")
    expect(page.locator("#summary")).to_have_text("Can't reach the server. Retrying …")
    page.unroute("**/status/**")
    expect(page.locator("#notice")).to_contain_text("Batch not found")


@pytest.mark.usefixtures("worker")
def test_without_a_step_it_says_what_is_done_before_and_after(page: Page) -> None:
    page.locator("[name=blur]").uncheck()
    sentence = "No step selected: photographs are only turned upright, stripped of metadata and re-encoded."
    expect(page.locator("#plan")).to_have_text(sentence)
    submit(page)
    expect(page.locator("#applied")).to_have_text(sentence)
    expect(page.locator("#archive")).to_be_visible()


def test_the_steps_are_told_in_their_order(page: Page) -> None:
    page.locator("[name=width]").fill("600")
    page.locator("[name=convert]").check()
    expect(page.locator("#plan")).to_contain_text(
        "resized to fit a width of 600 px, then blurred with a radius of 5 px, then converted to WEBP"
    )


@pytest.fixture
def page_below_a_path(browser: Browser, redis_url: str, storage: Path) -> Iterator[Page]:
    """The page of an API that has a path of a host. Fails where a request of it goes elsewhere, or in vain."""
    requests: list[str] = []
    failed: list[str] = []
    with live_api(redis_url, storage, {"DARKROOM_PUBLIC_URL": "https://photos.example.org/darkroom"}) as api:
        context = browser.new_context(base_url=f"{api.url}/darkroom/")
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
        yield page
        context.close()
    ours = (f"{api.url}/darkroom", "blob:", "data:")
    assert not failed
    assert [url for url in requests if not url.startswith(ours)] == []


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("address", ["", "/darkroom"])
def test_below_a_path_a_batch_is_processed_and_shown(page_below_a_path: Page, address: str) -> None:
    page_below_a_path.goto(address)
    submit(page_below_a_path)
    expect(page_below_a_path.locator("#archive")).to_have_attribute(
        "href", re.compile("/darkroom/archive/[0-9a-f]{32}$")
    )
    expect(page_below_a_path.locator("#gallery img")).to_have_js_property("complete", value=True)
    with page_below_a_path.expect_download() as download:
        page_below_a_path.locator("#gallery .get").click()
    assert "/darkroom/images/" in download.value.url


def test_below_a_path_the_documentation_lists_every_operation(page_below_a_path: Page) -> None:
    page_below_a_path.goto("docs")
    expect(page_below_a_path.locator(".opblock-summary-path").first).to_be_visible()
    expect(page_below_a_path.locator(".servers option")).to_have_text("/darkroom")
