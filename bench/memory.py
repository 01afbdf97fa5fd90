"""The memory of a worker that has more processes than large images fit beside each other."""

import tempfile
import threading
from pathlib import Path

from PIL import Image
from support.client import Client
from support.local_stack import LocalStack
from support.pictures import encode, photograph

from bench.tables import show

SIDES = (8160, 6120)
"""49.9 megapixels: just below the limit."""
PROCESSES = 4
IMAGES = 8
LIMIT = "1500m"
PIPELINES: dict[str, list[dict[str, object]]] = {
    "blur, sigma 1": [{"op": "blur", "radius": 1}],
    "to WebP": [{"op": "convert", "format": "webp"}],
}


def resident(pid: int) -> int:
    """Return the memory of a process and its children in bytes, shared pages counted once."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has just ended
        return 0
    proportional = next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return proportional * 1024 + sum(resident(int(child)) for child in children)


class Peak:
    """Watches the memory of a worker while the block runs."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.bytes = 0

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.bytes = max(self.bytes, resident(self._pid))


def main() -> None:
    """Print the table."""
    picture = encode(photograph(1020, 765).resize(SIDES, Image.Resampling.BICUBIC))
    settings = {"DARKROOM_WORKER_CONCURRENCY": str(PROCESSES), "DARKROOM_WORKER_MEMORY": LIMIT}
    rows = []
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), settings) as stack:
        client = Client(stack.api_url)
        for name, pipeline in PIPELINES.items():
            with Peak(stack.processes["worker"].pid) as peak:
                group = client.wait(client.start({f"{n}.jpg": picture for n in range(IMAGES)}, pipeline), limit=600)
            assert group["completed"] == IMAGES, group
            rows.append((name, f"{peak.bytes / 1e6:,.0f} MB"))
    show((f"{IMAGES} images of 50 megapixels, {PROCESSES} processes, limit {LIMIT}", "most memory of the worker"), rows)


if __name__ == "__main__":
    main()
