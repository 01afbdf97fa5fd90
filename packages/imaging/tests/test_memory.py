"""The memory an image takes is bounded by its own size."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from support.pictures import photograph

ALLOWANCE = 100_000_000
"""Bytes besides three times the decoded image: Python, NumPy, OpenCV and Pillow themselves, and the files."""
STATUS = Path("/proc/self/status")
MEASURE = """
import sys
from pathlib import Path
from darkroom_imaging.operations import *
from darkroom_imaging.engine import process_outputs
results = process_outputs(Path(sys.argv[1]).read_bytes(), eval(sys.argv[2]), eval(sys.argv[3]))
assert all(result.width for result in results.values())
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
"""Prints the largest resident size in kB. What `getrusage` says would count the process that started this one."""
WIDTH, HEIGHT = 6000, 4000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same 24 megapixels as a photograph and with opacity."""
    folder = tmp_path_factory.mktemp("large")
    picture = photograph(600, 400).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    picture.save(folder / "photograph.jpg", quality=90)
    picture.putalpha(200)
    picture.save(folder / "clear.png", compress_level=1)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="the largest resident size is told by Linux only")
@pytest.mark.parametrize(
    ("name", "channels", "pipeline"),
    [
        ("photograph.jpg", 3, "()"),
        ("photograph.jpg", 3, "(Blur(radius=1),)"),
        ("photograph.jpg", 3, "(Blur(radius=5),)"),
        ("photograph.jpg", 3, "(Blur(radius=40),)"),
        ("photograph.jpg", 3, "(Blur(radius=20, regions=((0, 0, 1, 0.4), (0, 0.5, 1, 0.4))),)"),
        ("photograph.jpg", 3, "(Blur(radius=20, regions=((0, 0, 1, 1),) * 100),)"),
        ("photograph.jpg", 3, "(Resize(width=400),)"),
        ("photograph.jpg", 3, "(Pixelate(size=20),)"),
        ("photograph.jpg", 3, "(Rotate(angle=90),)"),
        ("photograph.jpg", 3, "(Sharpen(),)"),
        ("photograph.jpg", 3, "(Adjust(brightness=1.1, saturation=1.2),)"),
        ("clear.png", 4, "(Resize(width=400), Convert(format='webp'))"),
        ("clear.png", 4, "(Blur(radius=5), Convert(format='jpeg'))"),
    ],
)
def test_a_large_image_takes_at_most_three_times_its_pixels(
    folder: Path, name: str, channels: int, pipeline: str
) -> None:
    assert largest_size(folder / name, pipeline, "{'only': ()}") < 3 * WIDTH * HEIGHT * channels + ALLOWANCE


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="the largest resident size is told by Linux only")
def test_outputs_take_no_more_than_the_shared_pixels_and_those_of_one_of_them(folder: Path) -> None:
    outputs = "{str(number): (Adjust(brightness=1.1),) for number in range(4)}"
    assert largest_size(folder / "photograph.jpg", "(Flip(),)", outputs) < 3 * WIDTH * HEIGHT * 3 + ALLOWANCE


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="the largest resident size is told by Linux only")
def test_a_jpeg_with_much_effort_takes_at_most_four_times_its_pixels(folder: Path) -> None:
    pipeline = "(Convert(format='jpeg', effort='best'),)"
    assert largest_size(folder / "photograph.jpg", pipeline, "{'only': ()}") < 4 * WIDTH * HEIGHT * 3 + ALLOWANCE


def largest_size(path: Path, pipeline: str, outputs: str) -> int:
    """In bytes, of a fresh process that does nothing else."""
    arguments = [sys.executable, "-c", MEASURE, str(path), pipeline, outputs]
    return int(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout) * 1024
