"""The system in containers: ``python3 -m darkroom_local.containers``. Needs Docker, and nothing but Python.

It builds and starts everything, waits until all of it is healthy, says where it is, and then shows warnings and errors
until Ctrl-C stops it.
"""

from __future__ import annotations

import errno
import json
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from darkroom_local.announcement import announcement
from darkroom_local.troubles import Troubles

SETTING_OF = {
    8000: "DARKROOM_PORT",
    5555: "DARKROOM_FLOWER_PORT",
    1080: "DARKROOM_INBOX_PORT",
    80: "DARKROOM_HTTP_PORT",
    443: "DARKROOM_HTTPS_PORT",
}
"""The setting that says where a port of a container is published."""
BIND = "DARKROOM_BIND"
"""The setting that says which address ports are published on."""
PROXY_BIND = "DARKROOM_PROXY_BIND"
"""The same for the ports of the proxy, which is there to be open to others."""
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - compared with, not listened on
_LAST_LINES = 12
# Compose moves the cursor, also where there is none.
_CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class ContainersError(RuntimeError):
    """The system did not start. The message says why, and what to do."""


@dataclass(frozen=True)
class Published:
    """A port of this machine that a service is published on."""

    service: str
    address: str
    port: int
    inside: int
    """The port of the container."""

    @property
    def setting(self) -> str:
        """The setting that chooses it."""
        return SETTING_OF[self.inside]

    @property
    def bind(self) -> str:
        """The setting that chooses its address."""
        return PROXY_BIND if self.service == "proxy" else BIND

    @property
    def url(self) -> str:
        """Return its URL on this machine."""
        host = "127.0.0.1" if self.address in _EVERYWHERE else self.address
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def published_ports(config: Any) -> list[Published]:
    """Return the published ports of a project, by its resolved configuration."""
    return [
        Published(service, port.get("host_ip", ""), int(port["published"]), int(port["target"]))
        for service, facts in config["services"].items()
        for port in facts.get("ports", ())
        if str(port["published"]).isdecimal()  # not a range, in which the engine finds a free one
    ]


def refuse_taken_ports(ports: list[Published], own: set[int]) -> None:
    """Make sure that every port can be published.

    Args:
        ports: to be published.
        own: ports that containers of this very system are published on already.

    Raises:
        ContainersError: one cannot. The message names it and the setting that changes it.
    """
    users: dict[int, Published] = {}
    for port in ports:
        other = users.setdefault(port.port, port)
        if other is not port:
            raise ContainersError(
                f"Port {port.port} is set for both {other.service} and {port.service}. "
                f"Change {other.setting} or {port.setting}."
            )
        if port.port not in own:
            _refuse_if_taken(port)


def _refuse_if_taken(port: Published) -> None:
    family = socket.AF_INET6 if ":" in port.address else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do it: a port whose last connections are still being wound up counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.address, port.port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                raise ContainersError(
                    f"{port.address} is not an address of this machine. Change {port.bind} in .env or the environment."
                ) from None
            if error.errno == errno.EADDRINUSE:
                setting = port.setting
                raise ContainersError(
                    f"Port {port.port}, which {port.service} is to be published on, is in use by another program. "
                    f"Choose another one with {setting}, in .env or as `{setting}={port.port + 1} make up`."
                ) from None


def up() -> None:
    """Bring the system up and stay with it until Ctrl-C, or until it is stopped from elsewhere."""
    config = _config()
    ports = published_ports(config)
    containers = _containers()
    refuse_taken_ports(ports, {p["PublishedPort"] for c in containers for p in c.get("Publishers") or ()})
    try:
        _refuse_foreign_data()
        print("Building Darkroom. The first build takes a few minutes.", flush=True)
        _run("build", *(() if sys.stderr.isatty() else ("--quiet",)))
        print("Starting Darkroom. Waiting until everything is healthy.", flush=True)
        try:
            _run("up", "--detach", "--wait", "--quiet-pull", "--remove-orphans")
        except subprocess.CalledProcessError:
            raise ContainersError(_diagnosis()) from None
        print(_announcement(config, ports), flush=True)
        _show_troubles()
    except KeyboardInterrupt:
        print("\nDarkroom is stopping. Images being processed are finished first.", flush=True)
    finally:
        _stop()
    print("Darkroom has stopped. Its data is kept in its volumes.")


def _config() -> Any:
    try:
        return json.loads(_output("config", "--format", "json"))
    except ContainersError as error:
        if "hostPort" not in str(error):
            raise
        raise ContainersError(
            f"{error}. A port is a number from 1 to 65535: check {', '.join(SETTING_OF.values())} "
            "in .env and the environment."
        ) from None


def _refuse_foreign_data() -> None:
    """Make sure that Redis can read the data in its volume. It would look at it itself, but again and again."""
    check = ("sh", "/etc/darkroom/check-data", "redis-server", "/data")
    try:
        _output("run", "--rm", "--no-deps", "--quiet-pull", "-T", "redis", *check)
    except ContainersError as error:
        raise ContainersError(str(error).splitlines()[-1]) from None  # before it, Compose says what it has made


def _stop() -> None:
    try:
        _run("stop")
    except KeyboardInterrupt:
        _run("kill")


def _announcement(config: Any, ports: list[Published]) -> str:
    urls = {port.service: port.url for port in ports}
    smtp = config["services"]["mailer"]["environment"].get("DARKROOM_SMTP_HOST")
    return announcement(
        api=urls["api"],
        flower=urls["flower"],
        email=f"{urls['inbox']}/ (an inbox that catches all email)" if smtp == "inbox" else f"goes to {smtp}",
        public=config["services"]["api"]["environment"].get("DARKROOM_PUBLIC_URL"),
    )


def _diagnosis() -> str:
    """Return which containers are unhealthy, with the ends of their logs."""
    bad = sorted({c["Service"] for c in _containers() if c["State"] != "running" or c.get("Health") == "unhealthy"})
    logs = [_output("logs", "--no-log-prefix", "--no-color", f"--tail={_LAST_LINES}", service) for service in bad]
    said = [f"\n{service} log ends with:\n{log.rstrip()}" for service, log in zip(bad, logs)]  # noqa: B905 - Python 3.9
    return "\n".join([f"Darkroom did not start{': ' if bad else ''}{', '.join(bad)}.", *said])


def _containers() -> list[dict[str, Any]]:
    return [json.loads(line) for line in _output("ps", "--all", "--format", "json").splitlines()]


def _show_troubles() -> None:
    """Print the warnings and errors of all services from now on, until they have stopped."""
    services: dict[str, Troubles] = {}
    command = ("docker", "compose", "logs", "--follow", "--no-color", "--tail=0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, errors="replace") as logs:
        for line in logs.stdout or ():
            name, _, said = _CONTROL_SEQUENCE.sub("", line).rstrip("\n").partition("|")
            name, said = name.strip(), said[1:]
            shown = services.setdefault(name, Troubles(name)).show(said)
            if shown is not None:
                print(shown, flush=True)


def _run(*arguments: str) -> None:
    """Run ``docker compose``. It shows how it goes in place where it can, and not line by line in a file."""
    quiet = () if sys.stderr.isatty() else ("--progress", "quiet")
    subprocess.run(("docker", "compose", *quiet, *arguments), check=True)


def _output(*arguments: str) -> str:
    result = subprocess.run(("docker", "compose", *arguments), capture_output=True, text=True, check=False)
    if result.returncode:
        raise ContainersError(result.stderr.strip())
    return _CONTROL_SEQUENCE.sub("", result.stdout)


def main() -> None:
    """Run the system. Exit 1 with a sentence if it does not start."""
    for asked_to_end in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked_to_end, signal.default_int_handler)  # as Ctrl-C
    try:
        up()
    except ContainersError as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)  # docker has said why


if __name__ == "__main__":
    main()
