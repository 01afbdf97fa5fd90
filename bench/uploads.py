"""The cost of images that were sent ahead: uploading one, and taking in 1,000 by their ids."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import requests
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from support.local_stack import LocalStack

from bench.cpu import cpu_seconds
from bench.intake import pixel
from bench.tables import show

IMAGES = 1000
RUNS = 9


def upload(url: str, session: requests.Session) -> str:
    response = session.post(f"{url}/images", data=pixel(), headers={"Content-Type": "image/png"}, timeout=30)
    response.raise_for_status()
    return str(response.json()["image_id"])


def timed(action: Callable[[], object], *, runs: int = RUNS) -> tuple[float, float]:
    """Return the median and the least time of several runs, in seconds."""
    spent = []
    for _ in range(runs):
        begun = time.perf_counter()
        action()
        spent.append(time.perf_counter() - begun)
    return median(spent), min(spent)


def submit(url: str, session: requests.Session, items: list[str]) -> None:
    response = session.post(f"{url}/process_images", json={"images": items}, timeout=60)
    assert response.status_code == 202, response.text


def measure(stack: LocalStack) -> list[tuple[str, str]]:
    """Measure over HTTP and within one process, with no worker running."""
    session, url = requests.Session(), stack.api_url
    begun = time.perf_counter()
    different = [upload(url, session) for _ in range(IMAGES)]
    each = (time.perf_counter() - begun) / IMAGES
    same = [different[0]] * IMAGES
    rows = [("uploading an image of one pixel, one after the other", f"{each * 1000:.1f} ms")]
    for what, items in (("1,000 different uploads", different), ("one upload 1,000 times", same)):
        submit(url, session, items)
        before = cpu_seconds(stack.processes["api"].pid)
        usual, least = timed(partial(submit, url, session, items))
        spent = (cpu_seconds(stack.processes["api"].pid) - before) / RUNS
        rows.append((f"taking in {what}, over HTTP: median, least", f"{usual:.3f} s, {least:.3f} s"))
        rows.append((f"taking in {what}, over HTTP: CPU of the API", f"{spent:.3f} s"))
    app = create_app(ApiSettings(redis_url=stack.redis_url, storage_dir=stack.folder.blobs))
    http = app.test_client()
    http.post("/process_images", json={"images": different})
    usual, least = timed(lambda: http.post("/process_images", json={"images": different}))
    rows.append(("taking in 1,000 different uploads, in one process: median, least", f"{usual:.3f} s, {least:.3f} s"))
    app.extensions["darkroom"].close()
    return rows


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder)) as stack:
        stack.stop_program("worker")
        show(("what", "measured"), measure(stack))


if __name__ == "__main__":
    main()
