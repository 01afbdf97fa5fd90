"""Take files through the engine and through libvips, and say how far apart they come out: ``python corpus.py FILE...``.

Prints a line of JSON for each file. Runs in a process of its own with limits, so that a crash of native code, a hang or
too much memory is seen and is told of the right file.
"""

import io
import json
import resource
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyvips
from darkroom_imaging.engine import process
from darkroom_imaging.errors import ImageError
from darkroom_imaging.inspection import inspect
from darkroom_imaging.limits import Limits
from darkroom_imaging.operations import Convert
from numpy.typing import NDArray
from PIL import Image, ImageSequence

Pixels: TypeAlias = NDArray[np.float64]

_MEMORY = 4 * 1024**3
_BACKGROUND = 128
_VISIBLE = 16
"""Levels of 256 that a pixel may differ by before it counts as another."""


@dataclass
class Report:
    """What became of a file."""

    file: str
    format: str = ""
    error: str = ""
    """Why the engine refused it."""
    seen: str = ""
    """Why the look at a file refuses it when it is taken in."""
    broken: str = ""
    """What is wrong with the engine's result in itself."""
    size: tuple[int, int] | None = None
    reference_error: str = ""
    """Why libvips refused it."""
    reference_size: tuple[int, int] | None = None
    mean: float = 0
    """The mean difference of all pixels, on grey, in levels of 256."""
    others: float = 0
    """The share of pixels that are visibly others."""


def main(paths: list[str]) -> None:
    """Report on each file."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    for path in map(Path, paths):
        print(json.dumps({"file": str(path), "begun": True}), flush=True)  # noqa: T201  # this is a program
        print(json.dumps(asdict(report(path))), flush=True)  # noqa: T201


def report(path: Path) -> Report:
    """Compare what the engine and libvips make of a file."""
    source = path.read_bytes()
    known = Report(str(path))
    try:
        inspect(io.BytesIO(source), Limits())
    except ImageError as error:
        known.seen = f"{type(error).__name__}: {error}"
    picture = _of_engine(source, known)
    reference = _of_libvips(source, known)
    if picture is None or reference is None or known.size != known.reference_size:
        return known
    apart = np.abs(picture - reference).max(axis=2)
    known.mean, known.others = round(float(apart.mean()), 3), round(float((apart > _VISIBLE).mean()), 5)
    return known


def _of_engine(source: bytes, known: Report) -> Pixels | None:
    try:
        result = process(source, (Convert(format="png"),))
    except ImageError as error:
        known.error = f"{type(error).__name__}: {error}"
        return None
    except Exception as error:  # noqa: BLE001  # whatever it is, it should have been another
        known.broken = repr(error)
        return None
    known.size = (result.width, result.height)
    try:
        with Image.open(io.BytesIO(result.data)) as image:
            if (image.size, getattr(image, "n_frames", 1)) != (known.size, result.frames):
                known.broken = f"It has {image.size} in {getattr(image, 'n_frames', 1)} frames."
            first, *_ = [frame.convert("RGBA") for frame in ImageSequence.Iterator(image)]
            return _on_grey(np.asarray(first, dtype=np.float64))
    except Exception as error:  # noqa: BLE001  # whatever it is, the result is broken
        known.broken = repr(error)
        return None


def _of_libvips(source: bytes, known: Report) -> Pixels | None:
    try:
        image = pyvips.Image.new_from_buffer(source, "", fail_on="none").autorot()
        known.format = image.get("vips-loader")
        if image.get_typeof("icc-profile-data") and image.bands - image.hasalpha() in (1, 3, 4):
            image = image.icc_transform("srgb", embedded=True, intent="relative", black_point_compensation=True)
        image = image.colourspace("srgb")
        if image.hasalpha() and image.format != "uchar":
            image = image.cast("uchar")
        known.reference_size = (image.width, image.height)
        image = image if image.hasalpha() else image.bandjoin(255)
        return _on_grey(np.asarray(image.cast("uchar").numpy(), dtype=np.float64))
    except pyvips.Error as error:
        known.reference_error = str(error).strip().splitlines()[-1]
        return None


def _on_grey(pixels: Pixels) -> Pixels:
    opacity = pixels[:, :, 3:] / 255
    return np.asarray(pixels[:, :, :3] * opacity + _BACKGROUND * (1 - opacity))


if __name__ == "__main__":
    main(sys.argv[1:])
