"""The proxy that the profile `proxy` brings: TLS in front of the API and of Flower."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from support.pictures import encode, photograph

from compose.system import ROOT, SETTINGS, ComposeSystem

pytestmark = pytest.mark.compose

URL = f"https://localhost:{SETTINGS['DARKROOM_HTTPS_PORT']}"
ROOT_CERTIFICATE = "/data/caddy/pki/authorities/local/root.crt"


@pytest.fixture
def http(system: ComposeSystem, tmp_path: Path) -> requests.Session:
    """A client that trusts the proxy's own CA, and nobody else."""
    (proxy,) = system.containers("proxy")
    certificate = tmp_path / "root.crt"
    certificate.write_text(system.run_in(proxy, "cat", ROOT_CERTIFICATE))
    session = requests.Session()
    session.trust_env = False  # a machine's own bundle would take the place of this one
    session.verify = str(certificate)
    return session


def environment(**settings: str) -> dict[str, Any]:
    """The environment of each service, as Compose resolves it."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")}
    command = ["docker", "compose", "--env-file", os.devnull, "--profile", "proxy", "config", "--format", "json"]
    config = subprocess.run(command, cwd=ROOT, env=given | settings, capture_output=True, check=True).stdout
    return {name: service["environment"] for name, service in json.loads(config)["services"].items() if name != "inbox"}


def test_it_may_open_ports_and_nothing_else_and_only_to_this_machine(system: ComposeSystem) -> None:
    facts = system.inspect(system.containers("proxy")[0])
    host = facts["HostConfig"]
    assert facts["State"]["Health"]["Status"] == "healthy"
    assert (host["ReadonlyRootfs"], host["CapDrop"], host["CapAdd"]) == (True, ["ALL"], ["NET_BIND_SERVICE"])
    assert host["Memory"] > 0
    ports = facts["NetworkSettings"]["Ports"].values()
    assert {binding["HostIp"] for bindings in ports for binding in bindings or ()} == {"127.0.0.1"}


def test_the_page_is_served_with_a_certificate_for_localhost(http: requests.Session) -> None:
    assert "<h1>Darkroom</h1>" in http.get(f"{URL}/", timeout=30).text


@pytest.mark.usefixtures("system")
def test_without_tls_the_same_address_is_named_with_it() -> None:
    plain = f"http://localhost:{SETTINGS['DARKROOM_HTTP_PORT']}/docs"
    answer = requests.get(plain, allow_redirects=False, timeout=30)
    assert (answer.status_code, answer.headers["Location"]) == (308, "https://localhost/docs")


def test_its_own_page_may_send_a_batch_through_it_and_no_other_page(http: requests.Session) -> None:
    def status(origin: str) -> int:
        files = {"images": ("a.jpg", encode(photograph()))}
        return http.post(f"{URL}/process_images", files=files, headers={"Origin": origin}, timeout=60).status_code

    assert [status(URL), status("https://evil.example")] == [202, 403]


@pytest.mark.parametrize("path", ["/flower", "/flower/workers", "/flower/static/css/flower.css"])
def test_flower_is_below_its_path(http: requests.Session, path: str) -> None:
    answer = http.get(f"{URL}{path}", timeout=30)
    assert answer.status_code == 200
    assert "TornadoServer" in answer.headers["Server"]


def test_all_that_flower_names_is_below_its_path(http: requests.Session, system: ComposeSystem) -> None:
    page = requests.get(f"{system.url('flower', 5555)}/workers", timeout=30).text
    assert 'href="/flower/tasks"' in page
    assert 'href="/tasks"' not in page
    assert http.get(f"{URL}/flower/tasks", timeout=30).ok


def test_a_domain_makes_the_public_url_and_the_proxy_a_trusted_one() -> None:
    services = environment(DARKROOM_DOMAIN="photos.example.org")
    for name in ("api", "mailer"):
        assert services[name]["DARKROOM_PUBLIC_URL"] == "https://photos.example.org"
    assert services["api"]["DARKROOM_TRUSTED_PROXIES"] == "1"
    assert "photos.example.org" in services["flower"]["DARKROOM_ALLOWED_HOSTS"].split(",")
    assert services["proxy"]["DARKROOM_DOMAIN"] == "photos.example.org"


def test_a_public_url_that_is_set_is_not_replaced() -> None:
    url = "https://photos.example.org/darkroom"
    services = environment(DARKROOM_DOMAIN="photos.example.org", DARKROOM_PUBLIC_URL=url, DARKROOM_TRUSTED_PROXIES="2")
    assert services["api"]["DARKROOM_PUBLIC_URL"] == url
    assert services["api"]["DARKROOM_TRUSTED_PROXIES"] == "2"


def test_without_a_domain_nothing_is_trusted() -> None:
    services = environment()
    assert services["api"]["DARKROOM_TRUSTED_PROXIES"] == ""
    assert services["api"]["DARKROOM_PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert services["proxy"]["DARKROOM_DOMAIN"] == "localhost"
