"""Bring levels of any depth to eight bits, in one place and in the same way for every format."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Levels: TypeAlias = NDArray[Any]
Bytes: TypeAlias = NDArray[np.uint8]
_DEEPEST = 65_535
"""Integers beyond 16 bits are taken for levels of 16 bits, and cut off beyond them."""


def to_eight_bits(levels: Levels, white: float | None = None) -> Bytes:
    """The levels rounded to eight bits.

    Args:
        levels: integers from 0, or floating point.
        white: the level that is white: where it is not given 1 for floating point, all bits for 8 and 16 bits.
    """
    if levels.dtype == np.uint8 and white in (None, 255):
        return levels
    if levels.dtype.kind == "f":
        white = 1.0 if white is None else white
        scaled = np.nan_to_num(levels, nan=0.0, posinf=white, neginf=0.0).astype(np.float32, copy=False)
    else:
        white = (255 if levels.dtype == np.uint8 else _DEEPEST) if white is None else white
        scaled = levels.astype(np.float64 if levels.dtype.itemsize > 2 else np.float32)
    result: Bytes = np.rint(scaled.clip(0, white) * (255 / white)).astype(np.uint8)
    return result
