"""What schemathesis is told beyond the document: how to make an image, and what would keep it from getting on."""

import base64
import io
import itertools
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis
from hypothesis import strategies as st
from PIL import Image

_LONGEST_WAIT = 60
_MOST_OPERATIONS = 20
_numbers = itertools.count()


def _picture(colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (2, 2), colour).save(file, "PNG")
    return file.getvalue()


def _within_the_limit(body: Any) -> None:
    """Shorten pipelines that are each short enough, but not together: a schema cannot say that."""
    if not isinstance(body, dict) or not isinstance(outputs := body.get("outputs"), dict):
        return
    pipelines = [body.get("operations"), *outputs.values()]
    lists = [pipeline for pipeline in pipelines if isinstance(pipeline, list) and len(pipeline) <= _MOST_OPERATIONS]
    if sum(map(len, lists)) > _MOST_OPERATIONS:
        for pipeline in lists:
            del pipeline[2:]


def _ahead(body: Any) -> None:
    """Let a deadline lie ahead that was taken from an answer: a schema cannot say that."""
    deadline = body.get("deadline") if isinstance(body, dict) else None
    with suppress(ValueError):
        if isinstance(deadline, str) and datetime.fromisoformat(deadline).tzinfo:
            body["deadline"] = (datetime.now(UTC) + timedelta(1)).isoformat()


def _as_text(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


_byte = st.integers(0, 255)
_pictures = st.builds(_picture, st.tuples(_byte, _byte, _byte))

schemathesis.openapi.format("binary", _pictures)
schemathesis.openapi.format("image-data", _pictures.map(_as_text))
schemathesis.openapi.format("image-url", st.from_regex(r"https?://[a-z]{1,9}\.example/[a-z]{0,9}", fullmatch=True))
schemathesis.openapi.format("image-id", st.just(os.environ["UPLOADED"]))
# Addresses that are well-formed but whose domain can take no mail are refused, and their grammar does not say so.
schemathesis.openapi.format("email", st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.com", fullmatch=True))

schemathesis.openapi.format("uri", st.from_regex(r"https?://[a-z]{1,9}\.example/[a-z]{0,9}", fullmatch=True))

# A deadline lies ahead, within a week.
schemathesis.openapi.format(
    "date-time", st.integers(1, 6).map(lambda days: (datetime.now(UTC) + timedelta(days)).isoformat())
)


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: Any, _kwargs: dict[str, object]) -> None:
    """Nobody waits for groups that nobody works on, and no key is used twice for different requests."""
    _within_the_limit(case.body)
    _ahead(case.body)
    if str((case.query or {}).get("wait")) in map(str, range(1, _LONGEST_WAIT + 1)):
        case.query["wait"] = 0
    images = case.body.get("images") if isinstance(case.body, dict) else None
    if isinstance(images, list) and images and all(isinstance(image, dict) for image in images):
        images.append({"data": _as_text(_picture((0, 0, 0)))})  # where all that are named are unknown, it is refused
    key = (case.headers or {}).get("Idempotency-Key")
    if key and len(key) < 200:
        case.headers["Idempotency-Key"] = f"{key}{next(_numbers)}"
