"""What tests of the API send and look at."""

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from darkroom_contracts.problems import ProblemCode
from darkroom_records.blobs import BlobStorage, result_blob
from darkroom_records.groups import GroupStore, Outcome
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

MISSING = "Missing or invalid images parameter"


def png(colour: str = "red", size: tuple[int, int] = (8, 6)) -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def post_files(
    http: FlaskClient,
    files: Sequence[tuple[str, bytes]],
    operations: Any = None,
    headers: Mapping[str, str] | None = None,
    **fields: str,
) -> TestResponse:
    """POST /process_images as a form."""
    form: dict[str, Any] = dict(fields)
    form["images"] = [(io.BytesIO(data), name) for name, data in files]
    if operations is not None:
        form["operations"] = operations if isinstance(operations, str) else json.dumps(operations)
    return http.post("/process_images", data=form, headers=dict(headers or {}))


def finish(
    groups: GroupStore, storage: BlobStorage, group_id: str, index: int, result: bytes | None, error: str = "No."
) -> None:
    """Do the work of a worker: with a result, or with an error where there is none."""
    work = groups.begin(group_id, index, worker="test", delivery=0)
    assert work is not None
    if result is None:
        groups.fail(work, error, ProblemCode.DAMAGED_IMAGE)
        return
    storage.put(result_blob(group_id, index), result)
    groups.succeed(work, Outcome(None, "png", 8, 6, len(result), hashlib.sha256(result).hexdigest()))


def files_in(folder: Path) -> list[str]:
    """Every file that is kept, by its path."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def close(app: Flask) -> None:
    """Let go of what an application of a test's own holds."""
    app.extensions["darkroom"].close()
