"""Pictures made by the tests, and how far two pictures are apart."""

import io
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels: TypeAlias = NDArray[np.float64]


def photograph(width: int = 320, height: int = 240, seed: int = 0) -> Image.Image:
    """Something with the makings of a photograph: soft shapes, hard edges and a little grain."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    soft = [127 + 80 * np.sin(x / random.uniform(15, 60) + y / random.uniform(15, 60)) for _ in range(3)]
    pixels = np.stack(soft, axis=-1)
    for _ in range(12):
        left, top = random.integers(0, width), random.integers(0, height)
        pixels[top : top + random.integers(5, 60), left : left + random.integers(5, 60)] = random.uniform(0, 255, 3)
    pixels += random.normal(0, 4, pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def encode(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    """The image as a file."""
    file = io.BytesIO()
    image.save(file, form, **({"quality": 92} if form == "JPEG" else {}) | options)
    return file.getvalue()


def decode(data: bytes) -> Image.Image:
    """The image in a file, upright and with its pixels loaded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def pixels(image: Image.Image) -> Pixels:
    """Height, width, channel; 0 to 255."""
    return np.asarray(image.convert("RGB"), dtype=np.float64)


def gaussian(image: Pixels, sigma: float) -> Pixels:
    """The exact Gaussian blur in floating point, its edges repeated."""
    radius = int(np.ceil(6 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        # As one matrix of what each pixel takes from each other one: a shifted copy per tap takes gigabytes.
        length = image.shape[axis]
        taken = np.clip(np.arange(length)[:, None] + np.arange(-radius, radius + 1), 0, length - 1)
        matrix = np.zeros((length, length))
        np.add.at(matrix, (np.arange(length)[:, None], taken), kernel)
        image = np.moveaxis(np.tensordot(matrix, image, axes=(1, axis)), 0, axis)
    return image


def psnr(one: Pixels, other: Pixels) -> float:
    """Peak signal-to-noise ratio in dB; more than 40 cannot be told apart by eye."""
    assert one.shape == other.shape
    return float(20 * np.log10(255 / max(np.sqrt(np.mean((one - other) ** 2)), 1e-9)))
