"""What schemathesis is told beyond the document: how to make an image, and what would keep it from getting on."""

import base64
import io
import itertools
from typing import Any

import schemathesis
from hypothesis import strategies as st
from PIL import Image

_LONGEST_WAIT = 60
_numbers = itertools.count()


def _picture(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2), colour).save(file, "PNG")
    return file.getvalue()


_byte = st.integers(0, 255)
_pictures = st.builds(_picture, st.tuples(_byte, _byte, _byte))

schemathesis.openapi.format("binary", _pictures)
schemathesis.openapi.format("image-data", _pictures.map(lambda data: base64.b64encode(data).decode()))
# Addresses that are well-formed but whose domain can take no mail are refused, and their grammar does not say so.
schemathesis.openapi.format("email", st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.com", fullmatch=True))


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: Any, _kwargs: dict[str, object]) -> None:
    """Nobody waits for groups that nobody works on, and no key is used twice for different requests."""
    if str((case.query or {}).get("wait")) in map(str, range(1, _LONGEST_WAIT + 1)):
        case.query["wait"] = 0
    key = (case.headers or {}).get("Idempotency-Key")
    if key and len(key) < 200:
        case.headers["Idempotency-Key"] = f"{key}{next(_numbers)}"
