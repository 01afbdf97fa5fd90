"""The API behind a real Caddy that gives it a path of its host: one site strips the path, the other keeps it."""

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin

import pytest
import requests
from darkroom_local import ports
from support.caddy import caddy
from support.client import Client
from support.live_api import live_api
from support.live_mailer import live_mailer
from support.live_worker import live_worker
from support.mail_server import MailServer
from support.pictures import encode, photograph
from support.redis_server import RedisServer
from support.waiting import wait_for

pytestmark = pytest.mark.compose

BASE = "/darkroom"
ADA = "ada@example.org"
SITES = """
http://127.0.0.1:{strips} {{
    redir /darkroom /darkroom/
    handle_path /darkroom/* {{
        reverse_proxy {api}
    }}
}}
http://127.0.0.1:{keeps} {{
    redir /darkroom /darkroom/
    handle /darkroom/* {{
        reverse_proxy {api}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Proxied:
    """The system, and the two addresses that it is reached at."""

    strips: str
    keeps: str
    inbox: MailServer


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """The API, a worker and a mailer as processes, and Caddy in front of the API."""
    storage = tmp_path_factory.mktemp("storage")
    strips, keeps = (f"http://{ports.HOST}:{ports.anywhere()}" for _ in range(2))
    links = {"DARKROOM_PUBLIC_URL": strips + BASE}
    with (
        RedisServer(tmp_path_factory.mktemp("redis")) as redis,
        MailServer() as inbox,
        live_worker(redis.url, storage),
        live_mailer(redis.url, storage, inbox.port, links),
        live_api(redis.url, storage, links | {"DARKROOM_TRUSTED_PROXIES": "1"}) as api,
        caddy(
            SITES.format(strips=strips.rpartition(":")[2], keeps=keeps.rpartition(":")[2], api=api.url),
            f"{keeps}{BASE}/readyz",
        ),
    ):
        yield Proxied(strips, keeps, inbox)


@pytest.fixture(params=["strips", "keeps"])
def origin(request: pytest.FixtureRequest, proxied: Proxied) -> str:
    """The site that is asked."""
    return str(getattr(proxied, request.param))


def get(url: str) -> requests.Response:
    answer = requests.get(url, timeout=60)
    answer.raise_for_status()
    return answer


def test_a_batch_is_sent_followed_and_fetched_by_the_links_of_its_answers(origin: str) -> None:
    receipt = Client(origin + BASE).post_files({"a.jpg": encode(photograph())}, [{"op": "blur", "radius": 2}])
    links = receipt.json()
    assert receipt.headers["Location"].startswith(f"{BASE}/status/")
    events = get(urljoin(origin, links["events_url"])).text  # ends with the group
    assert "event: end" in events
    (image,) = get(urljoin(origin, receipt.headers["Location"])).json()["images"]
    assert image["url"].startswith(f"{BASE}/images/")
    assert image["url"] in events
    result = get(urljoin(origin, image["url"])).content
    with zipfile.ZipFile(io.BytesIO(get(urljoin(origin, links["archive_url"])).content)) as archive:
        assert archive.read("a.jpg") == result
    assert requests.post(urljoin(origin, links["cancel_url"]), timeout=60).status_code == 409


@pytest.mark.parametrize("path", [BASE, f"{BASE}/", f"{BASE}/docs"])
def test_a_page_and_all_that_it_names_are_found(origin: str, path: str) -> None:
    page = get(origin + path)
    named = re.findall(r'(?:href|src|data-document)="([^"]+)"', page.text)
    assert len(named) > 3
    for link in named:
        address = urljoin(page.url, link)
        assert address.startswith(f"{origin}{BASE}/")
        get(address)


def test_the_server_of_the_document_is_the_path(origin: str) -> None:
    assert get(f"{origin}{BASE}/openapi.json").json()["servers"] == [{"url": BASE}]


def test_the_link_in_an_email_opens_and_its_button_subscribes(origin: str, proxied: Proxied) -> None:
    before = len(proxied.inbox.taken)
    address = f"{before}.{ADA}"
    subscribed = requests.post(f"{origin}{BASE}/subscribe", data={"email": address}, timeout=60)
    assert subscribed.headers["Location"] == f"{BASE}/"
    wait_for(lambda: len(proxied.inbox.taken) > before, limit=60, what="the email")
    body = proxied.inbox.taken[-1].message.get_body(("plain",))
    assert body is not None
    found = re.search(rf"{re.escape(proxied.strips + BASE)}/confirm/\S+", body.get_content())
    assert found is not None
    link = found[0].replace(proxied.strips, origin)
    assert '<form method="post">' in get(link).text
    assert "You are subscribed" in requests.post(link, headers={"Origin": origin}, timeout=60).text


def test_a_page_of_another_site_is_still_refused(origin: str) -> None:
    foreign = {"Origin": "https://evil.example"}
    assert (
        requests.post(f"{origin}{BASE}/subscribe", data={"email": ADA}, headers=foreign, timeout=60).status_code == 403
    )


def test_what_is_beside_the_path_is_not_ours(origin: str) -> None:
    assert "Darkroom" not in requests.get(f"{origin}/status/x", timeout=60).text
