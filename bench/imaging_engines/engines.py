"""Run one engine, named on the command line: read jobs from standard input, write CPU times to standard output.

Imports nothing of ours but that engine: it runs in environments in which only the engine is installed.
"""

import importlib
import io
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Work: TypeAlias = Callable[[bytes, float], object]
"""Runs a job on a photograph and returns the bytes of a JPEG."""

QUALITY = 90
LONG = 0.5
"""Seconds; jobs that take longer run only once."""


def darkroom() -> dict[str, Work]:
    """This project's engine."""
    from darkroom_imaging.engine import process
    from darkroom_imaging.operations import Blur, Resize

    return {
        "plain": lambda source, _: process(source),
        "blur": lambda source, sigma: process(source, (Blur(radius=sigma),)),
        "thumbnail": lambda source, width: process(source, (Resize(width=int(width)),)),
        "region": lambda source, share: process(source, (Blur(radius=10, regions=((0, 0, 1, share),)),)),
    }


def pillow() -> dict[str, Work]:
    """Pillow alone."""
    from PIL import Image, ImageFilter

    def encoded(image: Image.Image) -> bytes:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=QUALITY)
        return file.getvalue()

    def thumbnail(source: bytes, width: float) -> bytes:
        image = Image.open(io.BytesIO(source))
        image.thumbnail((int(width), int(width)), Image.Resampling.LANCZOS)
        return encoded(image)

    return {
        "plain": lambda source, _: encoded(Image.open(io.BytesIO(source))),
        "blur": lambda source, sigma: encoded(Image.open(io.BytesIO(source)).filter(ImageFilter.GaussianBlur(sigma))),
        "thumbnail": thumbnail,
    }


def libvips() -> dict[str, Work]:
    """libvips, through pyvips."""
    vips = importlib.import_module("pyvips")
    vips.cache_set_max(0)

    def encoded(image: object) -> object:
        return image.jpegsave_buffer(Q=QUALITY)  # type: ignore[attr-defined]  # is not installed where types are checked

    return {
        "plain": lambda source, _: encoded(vips.Image.new_from_buffer(source, "")),
        "blur": lambda source, sigma: encoded(vips.Image.new_from_buffer(source, "").gaussblur(sigma)),
        "thumbnail": lambda source, width: encoded(vips.Image.thumbnail_buffer(source, int(width))),
    }


def thumbor() -> dict[str, Work]:
    """thumbor's own engine and filter, without its server."""
    config = importlib.import_module("thumbor.config").Config(QUALITY=QUALITY)
    context = importlib.import_module("thumbor.context").Context(config=config)
    apply_blur = importlib.import_module("thumbor.filters.blur").apply_blur
    new = importlib.import_module("thumbor.engines.pil").Engine

    def worked(source: bytes, change: Callable[[object], None]) -> object:
        engine = new(context)
        engine.load(source, ".jpg")
        change(engine)
        return engine.read(".jpg", quality=QUALITY)

    def blur(engine: object, sigma: float) -> None:
        mode, data = engine.image_data_as_rgb()  # type: ignore[attr-defined]  # as above
        engine.set_image_data(apply_blur(mode, data, engine.size, math.ceil(3 * sigma), sigma))  # type: ignore[attr-defined]

    def thumbnail(engine: object, width: float) -> None:
        size = engine.size  # type: ignore[attr-defined]  # as above
        engine.resize(width, width * size[1] / size[0])  # type: ignore[attr-defined]  # as above

    return {
        "plain": lambda source, _: worked(source, lambda _: None),
        "blur": lambda source, sigma: worked(source, lambda engine: blur(engine, sigma)),
        "thumbnail": lambda source, width: worked(source, lambda engine: thumbnail(engine, width)),
    }


def lowest_time(work: Work, source: bytes, value: float, rounds: int) -> float:
    """Return the lowest CPU time of several rounds, in milliseconds, over all threads of this process."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work(source, value)
        times.append(time.process_time() - start)
        if times[-1] > LONG:
            break
    return min(times) * 1000


def main() -> None:
    """Serve jobs until the input ends."""
    engines = {"darkroom": darkroom, "pillow": pillow, "libvips": libvips, "thumbor": thumbor}
    jobs = engines[sys.argv[1]]()
    for line in sys.stdin:
        request = json.loads(line)
        work = jobs.get(request["job"])
        source = Path(request["path"]).read_bytes()
        print(json.dumps(work and lowest_time(work, source, request["value"], request["rounds"])), flush=True)


if __name__ == "__main__":
    main()
