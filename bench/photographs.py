"""The photographs to measure with: real ones if available, otherwise generated ones."""

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from support.pictures import encode, photograph

_GET = Path(__file__).resolve().parents[2] / "shared" / "photos" / "get"
_MADE_SIZES = ((1280, 1024), (1600, 1200), (1920, 1200), (2560, 1600))


@cache
def photographs() -> dict[str, bytes]:
    """Return twelve photographs as JPEG files, by name."""
    return _real(".") or _made()


@cache
def large_photographs() -> dict[str, bytes]:
    """Return photographs of eight megapixels and more."""
    return _real("large") or {"made-8mp.jpg": encode(photograph(3456, 2304, seed=99))}


def _real(folder: str) -> dict[str, bytes]:
    if not _GET.exists():
        return {}
    with tempfile.TemporaryDirectory() as target:
        if subprocess.run([_GET, target], check=False).returncode:
            print("The real photographs are unavailable; measuring with generated ones.", file=sys.stderr)
            return {}
        return {path.name: path.read_bytes() for path in sorted((Path(target) / folder).glob("*.jpg"))}


def _made() -> dict[str, bytes]:
    sizes = [_MADE_SIZES[seed % len(_MADE_SIZES)] for seed in range(12)]
    return {f"made-{seed}.jpg": encode(photograph(*size, seed=seed)) for seed, size in enumerate(sizes)}
