"""All test images of Pillow's own source go through the engine, and come out as libvips has them."""

import json
import os
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.corpus

PROGRAM = Path(__file__).with_name("corpus.py")
EXPLAINED: dict[str, str] = tomllib.loads(Path(__file__).with_name("corpus_differences.toml").read_text())
"""Why a file comes out otherwise than libvips has it, by its path; a path can be a pattern."""
FILES_AT_ONCE = 50
LIMIT = 300.0
"""Seconds for that many files, and for the download."""
NOISE = 2.0
"""Levels of 256 that pixels may differ by in the mean: decoders of JPEG and AVIF round in their own ways."""
OTHERS = 0.005
"""The share of pixels that may be visibly others: colours at edges are interpolated in more than one way."""


@pytest.fixture(scope="module")
def images(pytestconfig: pytest.Config) -> Path:
    """The folder of the images. The source that holds them is downloaded once, and kept beside the other caches."""
    pytest.importorskip("pyvips", reason="there is no libvips to compare with")
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("pillow-source")
    name = f"pillow-{version('pillow')}"
    archive = folder / f"{name}.tar.gz"
    if not archive.exists():
        _download(folder)
    if not (folder / name).exists():
        with tarfile.open(archive) as source:
            source.extractall(folder, filter="data")
    return folder / name / "Tests" / "images"


def _download(folder: Path) -> None:
    wanted = f"pillow=={version('pillow')}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "pillow", wanted]
    try:
        subprocess.run([*command, "--dest", folder], check=True, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        pytest.skip(f"the source of {wanted} did not come in {LIMIT:g} seconds")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the source of {wanted} cannot be had: {error.stderr.strip().splitlines()[-1:]}")


def reports(images: Path) -> Iterator[dict[str, Any]]:
    """What became of each file."""
    paths = sorted(str(path.relative_to(images)) for path in images.rglob("*") if path.is_file())
    parts = [paths[at : at + FILES_AT_ONCE] for at in range(0, len(paths), FILES_AT_ONCE)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for lines in pool.map(lambda part: _report(images, part), parts):
            yield from lines


def _report(images: Path, paths: list[str]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, PROGRAM, *paths], cwd=images, check=False, capture_output=True, text=True, timeout=LIMIT
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"{lines[-1]['file']} ended its process:\n{done.stderr[-2000:]}"
    return [line for line in lines if "begun" not in line]


def wrong(report: dict[str, Any]) -> str | None:
    """How the result differs from what libvips has; nothing where it is the same, or where there is none of the two."""
    if report["error"]:
        foreign = report["error"].startswith("NotAnImageError")
        return None if foreign or report["reference_error"] else report["error"]
    if report["reference_error"]:
        return None
    if report["size"] != report["reference_size"]:
        return f"{report['size']} instead of {report['reference_size']}"
    if report["mean"] > NOISE or report["others"] > OTHERS:
        return f"{report['mean']:g} levels apart, {report['others']:.2%} of the pixels are others"
    return None


def test_every_image_comes_out_sound_and_as_libvips_has_it_but_for_what_is_explained(images: Path) -> None:
    all_reports = list(reports(images))
    assert len(all_reports) > 500
    assert {report["file"]: report["broken"] for report in all_reports if report["broken"]} == {}
    differences = {report["file"]: reason for report in all_reports if (reason := wrong(report))}
    unexplained = {
        file: reason for file, reason in differences.items() if not any(fnmatch(file, row) for row in EXPLAINED)
    }
    assert unexplained == {}
    stale = {row for row in EXPLAINED if not any(fnmatch(file, row) for file in differences)}
    assert stale == set(), "these rows explain nothing any more"
    assert {
        report["file"]: report["seen"] for report in all_reports if report["seen"] not in ("", report["error"])
    } == {}
