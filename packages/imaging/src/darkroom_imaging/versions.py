"""Which versions make the bytes of a result: the same ones make the same bytes of the same original."""

from collections.abc import Mapping
from importlib.metadata import version

import cv2
import numpy as np
from PIL import features

_LIBRARIES: Mapping[str, str] = {
    "libjpeg-turbo": "libjpeg_turbo",
    "libwebp": "webp",
    "libavif": "avif",
    "libtiff": "libtiff",
    "zlib-ng": "zlib_ng",
    "zlib": "zlib",
    "littlecms": "littlecms2",
    "freetype": "freetype2",
    "raqm": "raqm",
}
"""What Pillow is built with, as its authors call it, and as Pillow does."""


def engine_versions() -> Mapping[str, str]:
    """Return the versions of all that decodes, changes and encodes pixels, by name. What is not there is left out."""
    ours = {
        "darkroom-imaging": version("darkroom-imaging"),
        "pillow": version("pillow"),
        "opencv": cv2.__version__,
        "numpy": np.__version__,
        "mozjpeg": version("mozjpeg-lossless-optimization"),
    }
    libraries = {name: features.version(feature) for name, feature in _LIBRARIES.items()}
    return ours | {name: number for name, number in libraries.items() if number}
