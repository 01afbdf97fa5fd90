"""Handing results out: single images, and all of a group as one ZIP."""

import io
import os
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO, cast

from darkroom_contracts.formats import FILE_TYPES, ImageFormat
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import ImageState
from darkroom_imaging.inspection import identify
from darkroom_records import archive as archives
from darkroom_records.blobs import BlobNotFoundError, original_blob, result_blob
from darkroom_records.file_names import last_part
from darkroom_records.groups import Image
from flask import Response, redirect, request, send_file
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from darkroom_api.http.byte_ranges import requested_part
from darkroom_api.http.openapi import BINARY, IMAGE_CONTENT, LOCATION, RESULTS, answers, content
from darkroom_api.http.parameters import GroupPath, ImagePath, TextFlag
from darkroom_api.http.problems import Problem
from darkroom_api.services import services

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


blueprint = APIBlueprint("results", __name__, abp_tags=[RESULTS])

_ADDRESS_HOLDS = 300
"""Seconds for which an address in the storage can be fetched from."""
_HEADERS = ("ETag", "Content-Disposition", "Accept-Ranges")
_ARCHIVE_HEADERS = ("Content-Disposition", "Content-Length")


class ResultQuery(BaseModel):
    """Which of its files."""

    original: TextFlag = Field(False, description="The image as it was sent, in place of the result.")
    output: str = Field("", description="The name of the result, where the group has outputs.")


@blueprint.get(
    "/images/<group_id>/<int:index>",
    operation_id="downloadImage",
    responses=answers(
        {
            200: content("The image", IMAGE_CONTENT | {"image/bmp": BINARY}, _HEADERS),
            206: content("A part of it", IMAGE_CONTENT | {"image/bmp": BINARY}, (*_HEADERS, "Content-Range")),
            302: {
                "description": "Where the server hands results out from its bucket: the address there, which expires.",
                "headers": {"Location": LOCATION},
            },
            304: {"description": "It has not changed since; it never does."},
        },
        404,
        412,
        416,
        422,
        503,
    ),
)
def result(path: ImagePath, query: ResultQuery) -> Response:
    """An image of a group: its result, or the original."""
    image = services().groups.image(path.group_id, path.index)
    if image is None:
        raise unknown_image(path.index)
    return _original(path.group_id, image) if query.original else _result(path.group_id, image, query.output)


@blueprint.get(
    "/archive/<group_id>",
    operation_id="downloadArchive",
    responses=answers(
        {200: content("The ZIP, with a `manifest.json`", {"application/zip": BINARY}, _ARCHIVE_HEADERS)}, 404, 409, 503
    ),
)
def archive(path: GroupPath) -> Response:
    """All results of an ended group as one ZIP."""
    group = services().groups.read(path.group_id)
    if not group.state.is_final:
        left = group.counts.total - group.counts.finished
        raise Problem(
            409,
            f"Still processing: {left} image{'' if left == 1 else 's'} left.",
            code=ProblemCode.GROUP_RUNNING,
            headers={"Retry-After": "2"},
        )
    stream = archives.stream(group, services().storage)
    response = Response(stream, content_type="application/zip")
    response.content_length = len(stream)
    response.headers["Content-Disposition"] = f"attachment; filename=darkroom-{path.group_id[:8]}.zip"
    response.cache_control.private = True
    return response


def unknown_image(index: int) -> Problem:
    """The group has no such image."""
    return Problem(404, f"The group has no image {index}.", code=ProblemCode.IMAGE_NOT_FOUND, error="Invalid index")


def _result(group_id: str, image: Image, output: str) -> Response:
    if image.state is not ImageState.SUCCEEDED:
        error = image.outcome.error
        reason = f": {error}" if error else "."
        raise Problem(
            404,
            f"There is no result of this image, it is {image.state.value}{reason}",
            code=ProblemCode.RESULT_NOT_AVAILABLE,
        )
    made = image.outcome.results.get(output)
    if made is None:
        raise _no_such_output(image.outcome.results, output)
    media_type = FILE_TYPES[ImageFormat(made.format)].media_type
    key, name = result_blob(group_id, image.index, output), last_part(image.files[output])
    elsewhere = _redirect(key, media_type, name, made.sha256) if services().settings.storage_redirect else None
    return elsewhere or _send(_open(key), media_type, name, made.sha256)


def _no_such_output(results: Iterable[str], output: str) -> Problem:
    names = ", ".join(sorted(filter(None, results)))
    has = f"The outputs of this group are {names}." if names else "This group has no outputs."
    detail = f"There is no output {output!r}. {has}" if output else f"Name an output as `?output=`. {has}"
    return Problem(404, detail, code=ProblemCode.RESULT_NOT_AVAILABLE)


def _original(group_id: str, image: Image) -> Response:
    file = _open(original_blob(group_id, image.index))
    form = identify(file)
    file.seek(0)
    return _send(file, FILE_TYPES[form].media_type, last_part(image.name), f"original-{image.index}")


def _redirect(key: str, media_type: str, name: str, etag: str) -> Response | None:
    """Send the client to the storage itself, or return None where that cannot answer this request.

    The storage has ETags of its own, by which a client that was there before may ask again. About ours it knows
    nothing, so what is asked about them is answered here. So is HEAD, as the address is signed for GET.
    """
    asks_for_ours = request.if_match.contains(etag) or request.if_range.etag == etag
    if asks_for_ours or request.if_none_match.contains_weak(etag) or request.method != "GET":
        return None
    streamed = send_file(io.BytesIO(), media_type, download_name=name)
    headers = {"Content-Type": media_type, "Content-Disposition": streamed.headers["Content-Disposition"]}
    address = services().storage.direct_url(key, headers=headers, seconds=_ADDRESS_HOLDS)
    if address is None:
        return None
    response = cast("Response", redirect(address))
    response.cache_control.no_store = True  # the address expires
    return response


def _open(key: str) -> BinaryIO:
    try:
        return services().storage.open(key)
    except BlobNotFoundError:
        raise Problem(404, "This file has expired.", code=ProblemCode.FILE_EXPIRED) from None


def _send(file: BinaryIO, media_type: str, name: str, etag: str) -> Response:
    """The file, or the part of it that was asked for. It never changes, so its ETag may say so."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    response = send_file(file, media_type, download_name=name, etag=etag, conditional=False)
    response.cache_control.no_cache = None
    response.cache_control.private = True
    response.content_length = size
    try:
        response.make_conditional(_conditions(size, etag), accept_ranges=True, complete_length=size)
    except HTTPException:
        file.close()
        raise
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        file.close()
    return response


def _conditions(size: int, etag: str) -> "WSGIEnvironment":
    """The request with at most one range, which holds, and in the order of precedence of RFC 9110, 13.2.2."""
    if request.if_match and not request.if_match.is_strong(etag):
        raise Problem(
            412,
            "The file is not the one that If-Match names.",
            code=ProblemCode.PRECONDITION_FAILED,
            error="Precondition failed",
        )
    environ = dict(request.environ)
    for header in ("HTTP_IF_MATCH", "HTTP_RANGE", "HTTP_IF_RANGE"):
        environ.pop(header, None)
    if not request.if_none_match.contains_weak(etag) and (part := requested_part(request, size, etag)):
        environ["HTTP_RANGE"] = f"bytes={part.first}-{part.last}"
    return environ
