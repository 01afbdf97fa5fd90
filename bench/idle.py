"""What the system costs while nobody asks for anything: the CPU time of each container, in percent of one core.

Run it with the system in containers, started by ``docker compose up``, and leave that alone meanwhile.
"""

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from bench.tables import show

SECONDS = 120
CGROUPS = Path("/sys/fs/cgroup")
ENGINE = ("dockerd", "containerd", "containerd-shim")


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def containers() -> dict[str, str]:
    """Return the id of each running container of this folder's project, by name."""
    ids = _run("docker", "compose", "ps", "--quiet", "--no-trunc").split()
    facts = json.loads(_run("docker", "inspect", *ids)) if ids else []
    return {fact["Name"].removeprefix("/"): fact["Id"] for fact in facts}


def cpu_seconds(container: str) -> float:
    """Return the CPU time of a container so far, its health checks included."""
    for folder in (CGROUPS / f"system.slice/docker-{container}.scope", CGROUPS / "docker" / container):
        if (folder / "cpu.stat").exists():
            return int((folder / "cpu.stat").read_text().split()[1]) / 1e6
    return int((CGROUPS / "cpuacct/docker" / container / "cpuacct.usage").read_text()) / 1e9


def engine_seconds() -> float:
    """Return the CPU time of the engine itself and of what it has run, which no container is charged for."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(") ")
        except OSError:  # it has ended
            continue
        if name.partition("(")[2].startswith(ENGINE):
            ticks += sum(int(field) for field in rest.split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def usage(ids: Mapping[str, str]) -> dict[str, float]:
    """Return the CPU seconds of every container, and of the engine."""
    return {name: cpu_seconds(container) for name, container in ids.items()} | {"engine": engine_seconds()}


def main() -> None:
    """Print the table."""
    ids = containers()
    if not ids:
        print("No containers are running: start them with `docker compose up --wait`.")
        return
    before, start = usage(ids), time.monotonic()
    time.sleep(SECONDS)
    after, seconds = usage(ids), time.monotonic() - start
    shares = {name: (after[name] - before[name]) / seconds * 100 for name in sorted(ids)}
    engine = (after["engine"] - before["engine"]) / seconds * 100
    rows = [(name, f"{share:.2f}") for name, share in shares.items()]
    rows += [("all containers", f"{sum(shares.values()):.2f}"), ("the engine itself, all its work", f"{engine:.2f}")]
    show(("container", f"% of one core, over {seconds:.0f} s"), rows)


if __name__ == "__main__":
    main()
