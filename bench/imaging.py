"""The imaging engine: CPU time compared with other engines, and the accuracy of the blur.

All engines turn the same photographs into JPEGs of quality 90, each on one thread of its own process, in turn, so
that the ratios within one run hold on any machine.
"""

import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from darkroom_imaging.engine import process
from darkroom_imaging.operations import Blur, Convert
from support.pictures import Pixels, decode, pixels, psnr

from bench.imaging_rivals import Engine, Job, engines
from bench.photographs import large_photographs, photographs
from bench.tables import show

SIGMAS = (1, 2, 5, 10, 20, 40)
BASE = Job("plain")
JOBS: Mapping[str, Job] = (
    {"decode and encode": BASE}
    | {f"blur, sigma {sigma}": Job("blur", sigma) for sigma in SIGMAS}
    | {"thumbnail of 400 pixels": Job("thumbnail", 400)}
)
SHARES = (0.01, 0.05, 0.25, 0.5, 1.0)


def main() -> None:
    """Print all tables."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [_stored(Path(folder) / name, data) for name, data in photographs().items()]
        running = engines()
        try:
            _compare(running, paths)
            _regions(running[0], paths)
        finally:
            for engine in running:
                engine.stop()
    _accuracy()


def _compare(running: list[Engine], paths: list[Path]) -> None:
    print("CPU milliseconds per photograph, mean; in brackets as a multiple of Pillow's decoding and encoding.\n")
    times = _times(running, JOBS, paths)
    base = times["decode and encode", "Pillow"]
    assert base is not None
    rows = [[name, *(_cell(times[name, engine.name], base) for engine in running)] for name in JOBS]
    show(["", *(engine.name for engine in running)], rows)


def _times(running: list[Engine], jobs: Mapping[str, Job], paths: list[Path]) -> dict[tuple[str, str], float | None]:
    """Return each engine's mean time per photograph for each job; ``None`` for jobs it does not support."""
    return {
        (name, engine.name): _mean([engine.milliseconds(path, job) for path in paths])
        for name, job in jobs.items()
        for engine in running
    }


def _mean(times: list[float | None]) -> float | None:
    known = [time for time in times if time is not None]
    return statistics.mean(known) if known else None


def _cell(time: float | None, base: float) -> str:
    return "–" if time is None else f"{time:.1f} ({time / base:.2f})"


def _regions(engine: Engine, paths: list[Path]) -> None:
    print("\nA blur of sigma 10 in one region: CPU milliseconds beyond decoding and encoding, mean.\n")
    jobs = {f"{share:.0%} of the image": Job("region", share) for share in SHARES}
    times = _times([engine], {"plain": BASE} | jobs, paths)
    plain = times["plain", engine.name] or 0.0
    show(["region", engine.name], [[name, f"{(times[name, engine.name] or 0.0) - plain:.1f}"] for name in jobs])


def _accuracy() -> None:
    print("\nPSNR of the blur in dB against the exact Gaussian (floating point, edges repeated), in pixels and after")
    print("the JPEG of the result.\n")
    large = next(iter(large_photographs().items()))
    names = dict([*photographs().items(), large])
    rows = []
    for sigma in SIGMAS:
        exact, encoded = zip(*(_psnr(data, sigma) for data in names.values()), strict=True)
        rows.append([sigma, *_range(exact), f"{exact[-1]:.1f}", *_range(encoded)])
    show(["sigma", "lowest", "median", f"of {large[0]}", "lowest as JPEG", "median as JPEG"], rows)


def _range(values: tuple[float, ...]) -> tuple[str, str]:
    return f"{min(values):.1f}", f"{statistics.median(values):.1f}"


def _psnr(data: bytes, sigma: float) -> tuple[float, float]:
    exact = _exact(pixels(decode(data)), sigma)
    lossless, usual = (process(data, (Blur(radius=sigma), *more)) for more in ((Convert(format="png"),), ()))
    return psnr(pixels(decode(lossless.data)), exact), psnr(pixels(decode(usual.data)), exact)


def _exact(image: Pixels, sigma: float) -> Pixels:
    reach = np.arange(-np.ceil(5 * sigma), np.ceil(5 * sigma) + 1)
    kernel = np.exp(-0.5 * (reach / sigma) ** 2)
    kernel /= kernel.sum()
    return np.asarray(
        cv2.sepFilter2D(image.astype(np.float32), cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REPLICATE)
    )


def _stored(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    main()
