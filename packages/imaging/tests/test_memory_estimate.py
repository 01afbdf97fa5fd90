"""What an image is said to need is what it takes, or somewhat more."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from darkroom_imaging.limits import Limits
from darkroom_imaging.memory import needed_bytes
from darkroom_imaging.operations import Resize
from PIL import Image
from support.pictures import encode, photograph

SIZE = (2400, 1600)
MEASURE = """
import ctypes, json, sys
from pathlib import Path
from darkroom_imaging.engine import process_outputs
from darkroom_imaging.limits import Limits
from darkroom_imaging.memory import needed_bytes
from darkroom_imaging.operations import read_outputs, read_pipeline

def kilobytes(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))

def measure(file, pipeline, outputs):
    source = Path(file).read_bytes()
    pipeline, outputs = read_pipeline(pipeline), read_outputs(outputs) if outputs else {"": ()}
    needed = needed_bytes(source, pipeline, outputs, limits=Limits())
    ctypes.CDLL(None).malloc_trim(0)
    before = kilobytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from now on
    process_outputs(source, pipeline, outputs, limits=Limits())
    return needed, (kilobytes("VmHWM") - before) * 1024

cases = json.loads(sys.argv[1])
measure(*cases[0])  # loads what is loaded once
print(json.dumps([measure(*case) for case in cases]))
"""
Case = tuple[str, list[dict[str, Any]], dict[str, list[dict[str, Any]]]]
CASES: Sequence[Case] = [
    ("rgb.jpg", [], {}),
    ("turned.jpg", [{"op": "blur", "radius": 1}], {}),
    ("rgb.jpg", [{"op": "blur", "radius": 5}], {}),
    ("rgb.jpg", [{"op": "blur", "regions": [[0, 0, 1, 1]]}], {}),
    ("rgb.jpg", [{"op": "resize", "width": 300}], {}),
    ("rgb.jpg", [{"op": "resize", "width": 4800, "height": 3200, "enlarge": True}], {}),
    ("rgb.jpg", [{"op": "rotate", "angle": 30}], {}),
    ("rgb.jpg", [{"op": "sharpen"}, {"op": "adjust", "contrast": 1.1}], {}),
    ("rgb.jpg", [{"op": "convert", "format": "webp"}], {}),
    ("rgb.jpg", [{"op": "convert", "format": "avif"}], {}),
    ("rgb.jpg", [{"op": "convert", "format": "gif"}], {}),
    ("rgb.jpg", [{"op": "convert", "format": "jpeg", "effort": "best"}], {}),
    ("rgb.jpg", [{"op": "flip"}], {"a": [{"op": "adjust", "contrast": 1.1}], "b": []}),
    ("rgba.png", [], {}),
    ("rgba.png", [{"op": "blur"}, {"op": "convert", "format": "webp"}], {}),
    ("rgba.png", [{"op": "convert", "format": "avif"}], {}),
    ("rgba.tiff", [], {}),
    ("rgb.webp", [], {}),
    ("rgb.avif", [{"op": "convert", "format": "jpeg"}], {}),
    ("rgb.bmp", [], {}),
    ("moving.gif", [], {}),
    ("moving.gif", [{"op": "convert", "format": "webp"}], {}),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same picture in several formats."""
    folder = tmp_path_factory.mktemp("pictures")
    picture = photograph(600, 400).resize(SIZE, Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(folder / "rgb.jpg", quality=90)
    picture.save(folder / "turned.jpg", quality=90, exif=exif)
    picture.save(folder / "rgb.webp")
    picture.save(folder / "rgb.avif", speed=10)
    picture.save(folder / "rgb.bmp")
    frames = [photograph(800, 600, seed=seed) for seed in range(6)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:], duration=100)
    picture.putalpha(200)
    picture.save(folder / "rgba.png", compress_level=1)
    picture.save(folder / "rgba.tiff")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of a process is told by Linux only")
def test_images_take_at_most_what_they_are_said_to_need_and_not_much_less(folder: Path) -> None:
    cases = [(str(folder / file), pipeline, outputs) for file, pipeline, outputs in CASES]
    command = [sys.executable, "-c", MEASURE, json.dumps(cases)]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    measured = dict(zip(map(str, CASES), found, strict=True))
    assert not {case: (needed, taken) for case, (needed, taken) in measured.items() if taken > needed}
    assert not {case: (needed, taken) for case, (needed, taken) in measured.items() if needed > 2.5 * taken + 50e6}


def test_a_thumbnail_of_a_large_jpeg_needs_little_since_little_of_it_is_decoded() -> None:
    large = encode(photograph(3000, 2000))
    whole = needed_bytes(large, (), {"": ()}, limits=Limits())
    assert needed_bytes(large, (Resize(width=300),), {"": ()}, limits=Limits()) < whole / 2


def test_a_file_that_is_no_image_needs_next_to_nothing() -> None:
    assert needed_bytes(b"no image", (), {"": ()}, limits=Limits()) < 20e6
