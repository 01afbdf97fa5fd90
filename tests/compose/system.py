"""Docker Compose, driven from Python."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from darkroom_local import ports

ROOT = Path(__file__).parents[2]
PROJECT = "darkroom-test"

# Ports that are free, and that a container keeps when it is started again; waits that are short enough for a test.
SETTINGS = {
    "DARKROOM_PORT": str(ports.anywhere()),
    "DARKROOM_FLOWER_PORT": str(ports.anywhere()),
    "DARKROOM_INBOX_PORT": str(ports.anywhere()),
    "DARKROOM_HTTP_PORT": str(ports.anywhere()),
    "DARKROOM_HTTPS_PORT": str(ports.anywhere()),
    "DARKROOM_FLOWER_PATH": "/flower",
    "COMPOSE_PROFILES": "proxy",
    "DARKROOM_HEALTH_INTERVAL": "10s",
    "DARKROOM_RECOVERY_INTERVAL": "5",
    "DARKROOM_RECOVERY_GRACE": "5",
}


class ComposeSystem:
    """The system of ``compose.yaml`` under a project name of its own, gone with its volumes in the end.

    Args:
        scale: how many containers of which service; of any other, one.
        project: the project's name.
        files: further files of Compose that change it.
        settings: beside those of every test.
    """

    def __init__(
        self,
        scale: Mapping[str, int],
        *,
        project: str = PROJECT,
        files: Sequence[Path] = (),
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._scale = [f"--scale={service}={number}" for service, number in scale.items()]
        self._project = ["--project-name", project]
        self._files = [f"--file={file}" for file in (ROOT / "compose.yaml", *files)]
        self._settings = settings or {}

    def __enter__(self) -> "ComposeSystem":
        try:
            self.up("--build")
        except subprocess.CalledProcessError:
            print(self.compose("logs", "--tail=50"))  # noqa: T201 - pytest shows it with the failure
            self.compose("down", "--volumes")
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.compose("down", "--volumes")

    def up(self, *options: str) -> None:
        """Bring everything up that is not, and wait until all of it is healthy."""
        self.compose("up", "--detach", "--wait", "--no-recreate", "--quiet-pull", *self._scale, *options)

    def compose(self, *arguments: str) -> str:
        """Run ``docker compose`` and give what it prints."""
        return _run("docker", "compose", *self._project, *self._files, *arguments, settings=self._settings)

    def containers(self, service: str) -> list[str]:
        """The ids of a service's running containers."""
        return self.compose("ps", "--quiet", "--status=running", service).split()

    def inspect(self, container: str) -> Any:
        """What the engine knows of a container."""
        return json.loads(_run("docker", "inspect", container))[0]

    def kill(self, container: str) -> None:
        """End a container at once, without a word to it."""
        _run("docker", "kill", "--signal=KILL", container)

    def logs(self, container: str) -> str:
        """What a container has printed."""
        return _run("docker", "logs", container)

    def run_in(self, container: str, *command: str) -> str:
        """What a command prints in a container."""
        return _run("docker", "exec", container, *command)

    def url(self, service: str, port: int) -> str:
        """Where a published port of a service is to be reached."""
        return f"http://{self.compose('port', service, str(port)).strip()}"


def _run(*command: str, settings: Mapping[str, str] | None = None) -> str:
    result = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | SETTINGS | dict(settings or {}),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if result.returncode:
        raise subprocess.CalledProcessError(result.returncode, command, result.stdout, result.stderr + result.stdout)
    return result.stdout
