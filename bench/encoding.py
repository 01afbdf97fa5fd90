"""How much smaller files get by the effort of ``convert``, and how many encodings ``max_bytes`` takes."""

import contextlib
import statistics
import time
from collections.abc import Callable, Sequence

from darkroom_contracts.formats import ImageFormat
from darkroom_imaging import encoding
from darkroom_imaging.encoding import QUALITY, Target
from darkroom_imaging.fitting import NothingFitsError, fit
from PIL import Image, ImageDraw, ImageFont
from support.pictures import decode

from bench.photographs import photographs
from bench.tables import show

SHARES = (0.95, 0.8, 0.6, 0.45, 0.3, 0.2)
"""Of the size at the default quality."""
FITTED_SIDE = 600
PNG_PHOTOGRAPHS = 4
"""With a PNG of all twelve, this would take minutes."""


def main() -> None:
    """Print both tables."""
    pictures = [decode(data).convert("RGB") for data in photographs().values()]
    _effort(pictures)
    _encodings(pictures)


def _effort(pictures: Sequence[Image.Image]) -> None:
    print(
        "CPU milliseconds and bytes of a file, means; in brackets those of `best` as a multiple of those of `fast`.\n"
    )
    pages = [_page(size) for size in ((640, 480), (1280, 800), (1920, 1080))]
    rows = []
    for name, images, image_format in (
        ("photographs as JPEG", pictures, ImageFormat.JPEG),
        ("photographs as PNG", pictures[:PNG_PHOTOGRAPHS], ImageFormat.PNG),
        ("pages of text as PNG", pages, ImageFormat.PNG),
    ):
        fast, best = (_cost(images, Target(image_format, smallest=smallest)) for smallest in (False, True))
        rows.append([name, f"{fast[0]:.0f}", f"{best[0]:.0f} ({best[0] / fast[0]:.1f})", *_sizes(fast[1], best[1])])
    show(["", "CPU, fast", "CPU, best", "bytes, fast", "bytes, best"], rows)


def _sizes(fast: float, best: float) -> tuple[str, str]:
    return f"{fast:,.0f}", f"{best:,.0f} ({best / fast:.2f})"


def _cost(images: Sequence[Image.Image], target: Target) -> tuple[float, float]:
    times, sizes = [], []
    for image in images:
        start = time.process_time()
        data, _ = encoding.encode([image], target)
        times.append(1000 * (time.process_time() - start))
        sizes.append(len(data))
    return statistics.mean(times), statistics.mean(sizes)


def _page(size: tuple[int, int]) -> Image.Image:
    """Black letters on white, with the greys of their edges, as on a screen."""
    image = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    for row in range(size[1] // 20):
        words = " ".join(f"{(row * 7919 + column * 104729) % 99991:x}" for column in range(40))
        draw.text((10, row * 20), words, "black", font)
    return image


def _encodings(pictures: Sequence[Image.Image]) -> None:
    print("\nEncodings until `max_bytes` is met, from 95 % down to 20 % of the size at the default quality.\n")
    rows = []
    for image_format, quality in QUALITY.items():
        counts = [count for picture in pictures for count in _counts(picture, image_format, quality)]
        rows.append([image_format, f"{statistics.mean(counts):.1f}", max(counts)])
    show(["", "mean", "most"], rows)


def _counts(picture: Image.Image, image_format: ImageFormat, quality: int) -> list[int]:
    small = picture.copy()
    small.thumbnail((FITTED_SIDE, FITTED_SIDE))
    files: dict[int, bytes] = {}

    def encode_at(tried: int) -> bytes:
        if tried not in files:
            files[tried], _ = encoding.encode([small], Target(image_format, quality=tried))
        return files[tried]

    return [_count(image_format, quality, int(len(encode_at(quality)) * share), encode_at) for share in SHARES]


def _count(image_format: ImageFormat, quality: int, max_bytes: int, encode_at: Callable[[int], bytes]) -> int:
    tried: list[int] = []

    def counted(wanted: int) -> bytes:
        tried.append(wanted)
        return encode_at(wanted)

    with contextlib.suppress(NothingFitsError):
        fit(image_format, quality, max_bytes, counted)
    return len(tried)
