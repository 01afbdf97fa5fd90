"""The same original, operations and versions make the same bytes, whatever else differs between two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from darkroom_imaging.versions import engine_versions

_MAKE_ALL = """
import hashlib, io, itertools, json, sys, time
from darkroom_contracts.formats import Metadata
from darkroom_imaging.engine import process_outputs
from darkroom_imaging.operations import read_outputs, read_pipeline
from PIL import Image
from support.pictures import encode, photograph

for _ in range(int(sys.argv[1])):  # as a child of a pool that has worked on others before
    process_outputs(encode(photograph(99, 77, seed=5)), (), {"": ()})
operations = [
    [], [{"op": "blur", "radius": 1}], [{"op": "blur", "radius": 6}],
    [{"op": "blur", "radius": 20, "regions": [[0.1, 0.1, 0.5, 0.5]]}], [{"op": "pixelate", "size": 9}],
    [{"op": "resize", "width": 100}], [{"op": "crop", "gravity": "center", "width": 90, "height": 70}],
    [{"op": "rotate", "angle": 17}], [{"op": "flip", "direction": "horizontal"}], [{"op": "grayscale"}],
    [{"op": "sharpen"}], [{"op": "adjust", "brightness": 1.2, "contrast": 1.1, "saturation": 0.7}],
    [{"op": "watermark", "text": "Åda ©"}],
]
files = {name: [{"op": "convert", "format": name}] for name in ("jpeg", "png", "webp", "avif", "gif", "tiff")}
smaller = {f"{name}-best": [{"op": "convert", "format": name, "effort": "best"}] for name in ("jpeg", "png")}
smaller |= {f"{name}-fits": [{"op": "convert", "format": name, "max_bytes": 6000}] for name in ("jpeg", "webp", "avif")}
tags = Image.Exif()
tags[0x013B], tags[0x0132] = "Ada", "2026:11:25 09:00:00"
photo = io.BytesIO()
photograph(300, 200).save(photo, "JPEG", quality=90, exif=tags)
see_through = photograph(150, 100).convert("RGBA")
see_through.putalpha(Image.linear_gradient("L").resize(see_through.size))
still = io.BytesIO()
see_through.save(still, "PNG")
moving = io.BytesIO()
shown = [photograph(90, 60, seed=seed) for seed in range(3)]
shown[0].save(moving, "GIF", save_all=True, append_images=shown[1:], duration=80)
wanted = [(f"operations {number}", photo, steps, {"jpeg": files["jpeg"]}, Metadata.NONE)
          for number, steps in enumerate(operations)]
wanted += [(f"{kind} {metadata}", source, [], outputs, metadata)
           for (kind, source), outputs, metadata
           in itertools.product((("photo", photo), ("still", still)), (files, smaller), Metadata)]
wanted += [("moving", moving, [{"op": "blur", "radius": 2}], {name: files[name] for name in ("gif", "webp", "png")},
            Metadata.NONE)]
made = {}
for name, source, steps, outputs, metadata in wanted:
    results = process_outputs(source.getvalue(), read_pipeline(steps), read_outputs(outputs), metadata=metadata)
    made |= {f"{name} {output}": hashlib.sha256(result.data).hexdigest() for output, result in results.items()}
json.dump(made, sys.stdout)
"""


def make_all(earlier: int = 0, **environment: str) -> dict[str, str]:
    """The digest of each result, made by a process of its own with this environment."""
    tests = str(Path(__file__).parents[3] / "tests")
    made = subprocess.run(
        [sys.executable, "-c", _MAKE_ALL, str(earlier)],
        env=os.environ | {"PYTHONPATH": tests} | environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    digests: dict[str, str] = json.loads(made.stdout)
    return digests


@pytest.fixture(scope="module")
def first() -> dict[str, str]:
    """The results of one process."""
    made = make_all(PYTHONHASHSEED="1", OMP_NUM_THREADS="1", TZ="UTC")
    assert len(made) > 80
    return made


def test_another_process_at_another_time_makes_the_same(first: dict[str, str]) -> None:
    again = make_all(
        earlier=2,
        PYTHONHASHSEED="7",
        OMP_NUM_THREADS="4",
        OPENCV_FOR_THREADS_NUM="4",
        TZ="Asia/Tokyo",
        LC_ALL="C",
        MALLOC_PERTURB_="165",  # what memory holds before it is written to
    )
    assert {name: digest for name, digest in again.items() if first[name] != digest} == {}


def test_the_versions_that_made_it_are_known() -> None:
    versions = engine_versions()
    assert {"darkroom-imaging", "pillow", "opencv", "numpy", "mozjpeg", "libwebp", "libavif"} <= set(versions)
    assert all(" " not in number and "=" not in number for number in versions.values())
