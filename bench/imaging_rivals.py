"""The engines to compare with, each in a process of its own, installed on first use."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent / "imaging_engines"
_INSTALLED = Path(tempfile.gettempdir()) / "darkroom-bench-engines"
_ROUNDS = 5
_INSTALL_TIMEOUT = 600
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Job:
    """One benchmark job (``plain``, ``blur``, ``thumbnail`` or ``region``) and its parameter."""

    name: str
    value: float = 0


class Engine:
    """A process that runs jobs one at a time and reports their CPU time."""

    def __init__(self, name: str, command: Sequence[str | Path]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"VIPS_CONCURRENCY": "1"},
        )

    def milliseconds(self, path: Path, job: Job) -> float | None:
        """Return the lowest CPU time of several rounds; ``None`` if the engine does not support the job."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"path": str(path), "job": job.name, "value": job.value, "rounds": _ROUNDS}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        response: float | None = json.loads(self._process.stdout.readline())
        return response

    def stop(self) -> None:
        """Stop the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def engines() -> list[Engine]:
    """Start Darkroom's own engine, Pillow, and all others that can be installed."""
    own = (("Darkroom", "darkroom"), ("Pillow", "pillow"))
    running = [Engine(name, [sys.executable, _HERE / "engines.py", engine]) for name, engine in own]
    for name, package in (("libvips", "pyvips[binary]"), ("thumbor", "thumbor")):
        if python := _with_pip(name, package):
            running.append(Engine(name, [python, _HERE / "engines.py", name]))
    if packages := _with_npm("sharp", "ipx"):
        # Node looks for packages next to the program.
        program = shutil.copy(_HERE / "engines.mjs", packages)
        running += [Engine(name, ["node", program, name]) for name in ("sharp", "ipx")]
    return running


def _with_pip(name: str, package: str) -> Path | None:
    folder = _INSTALLED / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        commands: list[list[str | Path]] = [
            [sys.executable, "-m", "venv", "--clear", folder],
            [python, "-m", "pip", "install", "-q", package],
        ]
        if not _succeeds(name, commands):
            return None
        (folder / "ready").touch()
    return python


def _with_npm(*packages: str) -> Path | None:
    folder = _INSTALLED / "node"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        if not _succeeds(" and ".join(packages), [["npm", "install", "--silent", "--prefix", folder, *packages]]):
            return None
        (folder / "ready").touch()
    return folder


def _succeeds(name: str, commands: Sequence[Sequence[str | Path]]) -> bool:
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_TIMEOUT)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"Skipping {name}: installation failed ({error}).\n", file=sys.stderr)
        return False
    return True
