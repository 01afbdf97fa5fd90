"""What this worker has of the machine: processors and memory, and how many images at once they are enough for."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from celery.utils import sysinfo

PROCESS_BYTES = 80_000_000
"""What a process of the pool takes beside the image it works on: its own memory, and an original that waits."""
MAIN_BYTES = 100_000_000
"""What the process takes that the pool belongs to, with the code that all of them share."""

_CGROUPS = Path("/sys/fs/cgroup")
_OF_PROCESS = Path("/proc/self/cgroup")


def processors() -> int:
    """Return how many processors this container, or process, may use: its quota rounded up."""
    return int(sysinfo.cpu_budget().count)  # type: ignore[attr-defined]  # newer than its stubs


def memory(allowed: int, *, of_process: Path = _OF_PROCESS, cgroups: Path = _CGROUPS) -> int:
    """Return the bytes that this worker may take: those allowed, unless its container has fewer."""
    return min([allowed, *_limits(of_process, cgroups)])


def pool_size(processors: int, memory: int) -> int:
    """Return how many processes to start: one for each processor, as far as half of the memory is left for images."""
    return max(1, min(processors, (memory // 2 - MAIN_BYTES) // PROCESS_BYTES))


def image_bytes(memory: int, processes: int) -> int:
    """Return how much of the memory is left for the images that this many processes work on."""
    return max(1, memory - MAIN_BYTES - processes * PROCESS_BYTES)


def _limits(of_process: Path, cgroups: Path) -> Iterator[int]:
    """Yield the limit of the process's control group, of either version, and of each group above it."""
    lines = of_process.read_text().splitlines() if of_process.exists() else []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers and "memory" not in controllers.split(","):
            continue
        folder, file = (cgroups / "memory", "memory.limit_in_bytes") if controllers else (cgroups, "memory.max")
        group = PurePosixPath("/") / path
        for above in [group, *group.parents]:  # inside a container, its own group is at the root
            limit = folder / above.relative_to("/") / file
            if limit.is_file() and (text := limit.read_text().strip()).isdecimal():
                yield int(text)
