"""Downloading a file: complete or not at all, and going on where it broke off."""

import hashlib
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import requests

from darkroom.errors import BrokenDownloadError, DarkroomError, ProblemError, unreachable
from darkroom.transport import TRANSIENT, Transport

_PIECE = 256 * 1024
_SHA256 = re.compile(r'"([0-9a-f]{64})"')
_TOTAL = re.compile(r"bytes (\d+)-\d+/\d+")
_ATTEMPTS = 6


def part_of(target: Path) -> Path:
    """Return where a file is kept until it is complete."""
    return target.with_name(f".{target.name}.part")


def download(
    transport: Transport,
    path: str,
    target: Path,
    *,
    params: Mapping[str, str | int] | None = None,
    size: int | None = None,
    on_bytes: Callable[[int], None] | None = None,
) -> bool:
    """Download a file. It appears under its name once it is complete, in place of what was there.

    A part that an earlier run left is gone on with. A file that is there already and the same is left alone.

    Args:
        transport: the server.
        path: of the file there.
        target: where it goes. Folders are made.
        params: of the query.
        size: of the file, where it is known.
        on_bytes: told how many more bytes have arrived.

    Returns:
        Whether it was downloaded; False where it was there.

    Raises:
        DarkroomError: it cannot be had.
        OSError: it cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(target)
    known = _etag_of_same(target, size)
    etag = _etag(transport, path, params) if _length(part) else None
    failures = 0
    while True:
        before = _length(part) if etag else 0
        headers = {"If-None-Match": known} if known else {}
        if before and etag:
            headers |= {"Range": f"bytes={before}-", "If-Range": etag}
        try:
            with transport.send("GET", path, params=params, headers=headers, stream=True) as response:
                if response.status_code == requests.codes.not_modified:
                    part.unlink(missing_ok=True)
                    return False
                etag = response.headers.get("ETag")
                _write(response, part, on_bytes)
            _check(part, etag, target)
        except TRANSIENT as error:
            failure: DarkroomError = unreachable(transport.url, error)
        except BrokenDownloadError as error:
            failure = error
        except ProblemError as error:
            if error.status != requests.codes.requested_range_not_satisfiable:
                raise
            part.unlink(missing_ok=True)  # it is as long as the file, or longer
            failure = error
        else:
            part.replace(target)
            return True
        failures = 1 if _length(part) > before else failures + 1
        if failures >= _ATTEMPTS:
            raise failure


def _etag(transport: Transport, path: str, params: Mapping[str, str | int] | None) -> str | None:
    with suppress(ProblemError):
        return transport.send("HEAD", path, params=params).headers.get("ETag")
    return None


def _etag_of_same(target: Path, size: int | None) -> str | None:
    """The ETag of a file that is there already and may be the same. That of a result is its SHA-256."""
    if size is None or not target.is_file() or target.stat().st_size != size:
        return None
    return f'"{sha256_of(target)}"'


def _check(part: Path, etag: str | None, target: Path) -> None:
    expected = _SHA256.fullmatch(etag or "")
    if expected and sha256_of(part) != expected[1]:
        part.unlink()
        raise BrokenDownloadError(f"{target.name} was damaged on the way. Please retry.")


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _write(response: requests.Response, part: Path, on_bytes: Callable[[int], None] | None) -> None:
    """Write what arrives, behind what is there where the answer goes on from it.

    Raises:
        requests.ConnectionError: it broke off.
    """
    ranged = _TOTAL.match(response.headers.get("Content-Range", "")) if response.status_code == 206 else None
    position = int(ranged[1]) if ranged else 0
    expected = response.headers.get("Content-Length")
    received = 0
    with part.open("r+b" if ranged else "wb") as file:
        file.seek(position)
        file.truncate()
        for piece in response.iter_content(_PIECE):
            file.write(piece)
            received += len(piece)
            if on_bytes:
                on_bytes(len(piece))
    if expected is not None and "Content-Encoding" not in response.headers and received != int(expected):
        raise requests.ConnectionError("the connection was lost")


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
