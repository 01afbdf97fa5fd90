"""Images sent ahead: for batches too large for one request, and for watermarks."""

from typing import Annotated, Any

import structlog
from darkroom_contracts.formats import FILE_TYPES, READABLE, ImageFormat
from darkroom_contracts.ids import is_image_id, new_image_id
from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.errors import ImageError
from darkroom_records.blobs import upload_blob
from darkroom_records.file_names import clean
from darkroom_records.uploads import TooManyUploadsError, Upload, erase_uploads
from darkroom_runtime.redis_client import UNAVAILABLE
from flask import Response, request
from flask_openapi import APIBlueprint, FileStorage
from flask_openapi.models import Encoding
from flask_openapi.utils import parse_form
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from darkroom_api.http.api_keys import asks_for_key, owner
from darkroom_api.http.bodies import as_json
from darkroom_api.http.client_address import client
from darkroom_api.http.openapi import BINARY, GROUPS, IMAGE_FILES, NEEDS_KEY, answers
from darkroom_api.http.problems import Problem, missing_images, unknown_upload
from darkroom_api.http.validation import problem_of
from darkroom_api.services import Services, services
from darkroom_api.uploads.space_guard import needs_disk_space
from darkroom_api.uploads.staging import StagedImage, current_staging, uploaded_image

blueprint = APIBlueprint("uploads", __name__, abp_tags=[GROUPS])

_PIECE = 1 << 20
_OTHER_TYPE = "application/octet-stream"
_log = structlog.get_logger(__name__)


def _of_right_form(text: str) -> str:
    if not is_image_id(text):
        raise unknown_upload()
    return text


class UploadPath(BaseModel):
    """An image that was sent ahead."""

    image_id: Annotated[str, AfterValidator(_of_right_form), Field(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]


class UploadForm(BaseModel):
    """One image file."""

    model_config = ConfigDict(extra="forbid")

    image: FileStorage


class UploadedImage(BaseModel):
    """An image that was sent ahead, to be named as an item of a batch or in a watermark."""

    image_id: str = Field(description="Whoever knows it can use the image, where this server asks for no keys.")
    format: ImageFormat
    width: int
    height: int
    bytes: int

    @classmethod
    def of(cls, upload: Upload) -> "UploadedImage":
        return cls(
            image_id=upload.image_id,
            format=ImageFormat(upload.format),
            width=upload.width,
            height=upload.height,
            bytes=upload.bytes,
        )


def _request_body() -> dict[str, Any]:
    as_form, schemas = parse_form(UploadForm)
    as_form["multipart/form-data"].encoding = {"image": Encoding(contentType=IMAGE_FILES)}
    blueprint.components_schemas |= schemas
    raw = [FILE_TYPES[kind].media_type for kind in sorted(READABLE)]
    return {"required": True, "content": dict.fromkeys([*raw, _OTHER_TYPE], BINARY) | as_form}


@blueprint.post(
    "/images",
    operation_id="uploadImage",
    security=NEEDS_KEY,
    responses=answers({201: UploadedImage}, 400, 401, 413, 415, 429, 503, 507),
    request_body=_request_body(),
)
@asks_for_key
@needs_disk_space
def upload() -> Response:
    """Send an image ahead: as the body with its type, or as the one file of a form.

    Its `image_id` then stands for it in `POST /process_images`, any number of times. It is dropped an hour after its
    last use.
    """
    name, staged = _sent()
    if staged.unfit:
        raise _unfit(staged.unfit)
    made = keep(services(), staged, name=name, owner=owner(), client=owner() or client())
    response = as_json(UploadedImage.of(made), 201)
    response.headers["Location"] = services().paths.upload(made.image_id)
    return response


@blueprint.get(
    "/images/<image_id>",
    operation_id="getUpload",
    security=NEEDS_KEY,
    responses=answers({200: UploadedImage}, 401, 404, 503),
)
@asks_for_key
def read(path: UploadPath) -> Response:
    """What is known of an image that was sent ahead."""
    return as_json(UploadedImage.of(_own(path.image_id)))


@blueprint.delete(
    "/images/<image_id>",
    operation_id="deleteUpload",
    security=NEEDS_KEY,
    responses=answers({204: {"description": "It is gone"}}, 401, 404, 503),
)
@asks_for_key
def delete(path: UploadPath) -> Response:
    """Delete an image that was sent ahead. Groups that it was used in keep their own."""
    erase_uploads(services().uploads, services().storage, [_own(path.image_id).image_id])
    return Response(status=204)


def keep(services: Services, staged: StagedImage, *, name: str | None, owner: str | None, client: str) -> Upload:
    """Keep an image under a new id.

    Args:
        services: what is worked with.
        staged: the image, complete and fit.
        name: its file name, if it came with one.
        owner: whose it is; None for everybody who knows the id.
        client: whose bytes it counts among.

    Raises:
        Problem: 429, there are too many already.
    """
    if staged.header is None:
        raise ValueError("only an image that is fit can be kept")
    made = Upload(
        image_id=new_image_id(),
        format=staged.header.format,
        width=staged.header.width,
        height=staged.header.height,
        bytes=staged.size,
        sha256=staged.sha256,
        owner=owner,
        client=client,
        name=name,
    )
    settings = services.settings
    try:
        services.uploads.create(
            made,
            keep_for=settings.keep_uploads,
            client_limit=settings.max_upload_bytes_per_client,
            total_limit=settings.max_upload_bytes,
        )
    except TooManyUploadsError as error:
        raise _too_many(services, of_all=error.of_all) from None
    try:
        staged.commit(upload_blob(made.image_id))
    except OSError:
        _forget(services, made.image_id)
        raise
    return made


def _sent() -> tuple[str | None, StagedImage]:
    if request.mimetype == "multipart/form-data":
        return _from_form()
    if not request.mimetype.startswith("image/") and request.mimetype != _OTHER_TYPE:
        raise Problem(
            415,
            "Send the image with its type, such as `image/jpeg`, or as the file of a form (`multipart/form-data`).",
            code=ProblemCode.UNSUPPORTED_MEDIA_TYPE,
        )
    staged = current_staging().begin()
    while piece := request.stream.read(_PIECE):
        staged.write(piece)
    staged.complete()
    return None, staged


def _from_form() -> tuple[str | None, StagedImage]:
    files = [(name, file, uploaded_image(file)) for name, file in request.files.items(multi=True)]
    files = [(name, file, staged) for name, file, staged in files if file.filename or staged.size]
    if unknown := sorted({name or "" for name in request.form}):
        raise problem_of([(name, "unknown field; send one file as `image`") for name in unknown])
    if not files:
        raise missing_images("Send one file as `image`.")
    if len(files) > 1:
        raise problem_of([(name, "only one file can be sent at a time") for name, _, _ in files[1:]])
    _, file, staged = files[0]
    return clean(file.filename, 0) if file.filename else None, staged


def _own(image_id: str) -> Upload:
    found = services().uploads.read(image_id)
    if found is None or not found.may_be_used_by(owner()):
        raise unknown_upload()
    return found


def _unfit(reason: ImageError) -> Problem:
    status = 413 if reason.code is ProblemCode.IMAGE_TOO_LARGE else 422
    return Problem(status, str(reason), code=reason.code)


def _too_many(services: Services, *, of_all: bool) -> Problem:
    settings = services.settings
    whose, limit = (
        ("This server has", settings.max_upload_bytes) if of_all else ("You have", settings.max_upload_bytes_per_client)
    )
    return Problem(
        429,
        f"{whose} too many images waiting to be used: the limit is {limit / 1e9:.3g} GB. "
        f"Each is deleted {_minutes(settings.keep_uploads)} after its last use.",
        code=ProblemCode.TOO_MANY_UPLOADS,
        headers={"Retry-After": "60"},
    )


def _minutes(seconds: int) -> str:
    return "an hour" if seconds == 3600 else f"{seconds:,} seconds" if seconds % 60 else f"{seconds // 60:,} minutes"


def _forget(services: Services, image_id: str) -> None:
    try:
        erase_uploads(services.uploads, services.storage, [image_id])
    except (*UNAVAILABLE, OSError) as error:
        _log.warning("upload_not_undone", reason=str(error))  # nobody knows its id, and it is dropped in an hour
