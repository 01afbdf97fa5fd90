"""What `/process_images` would say to a request, without doing it."""

from collections.abc import Sequence

from darkroom_contracts.formats import ImageFormat
from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.operations import MAX_OPERATIONS, MAX_OUTPUTS
from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from darkroom_api.groups import bodies
from darkroom_api.groups.process_images import request_body
from darkroom_api.groups.submission import Submission, TakenImage, refuse_if_all_are_unfit, refuse_if_backlog_is_full
from darkroom_api.http.api_keys import asks_for_key, owner
from darkroom_api.http.bodies import as_json
from darkroom_api.http.openapi import GROUPS, NEEDS_KEY, answers
from darkroom_api.http.problems import Problem
from darkroom_api.services import Services, services
from darkroom_api.settings import ApiSettings
from darkroom_api.uploads.space_guard import needs_disk_space
from darkroom_api.uploads.staging import StagedImage

blueprint = APIBlueprint("preflight", __name__, abp_tags=[GROUPS])


class PreflightImage(BaseModel):
    """What is found out about an image by its header."""

    index: int
    name: str
    accepted: bool = Field(description="Whether it would be worked on.")
    format: ImageFormat | None = Field(description="Null where it is not accepted, or not sent with the request.")
    width: int | None = Field(description="Of the file, before it is turned upright.")
    height: int | None = Field(description="Of the file, before it is turned upright.")
    bytes: int | None = Field(description="Null where it is not sent with the request.")
    error: str | None = Field(description="Why it is not accepted.")
    code: ProblemCode | None = Field(description="The same for programs.")

    @classmethod
    def of(cls, index: int, image: TakenImage) -> "PreflightImage":
        original = image.original
        staged = original if isinstance(original, StagedImage) else None
        header = staged.header if staged else None
        return cls(
            index=index,
            name=image.name,
            accepted=original.unfit is None,
            format=header.format if header else None,
            width=header.width if header else None,
            height=header.height if header else None,
            bytes=staged.size if staged else None,
            error=str(original.unfit) if original.unfit else None,
            code=original.unfit.code if original.unfit else None,
        )


class PreflightLimits(BaseModel):
    """What this server takes."""

    max_images: int = Field(description="Images of one request.")
    max_image_bytes: int
    max_pixels: int = Field(description="Of one image, width times height.")
    max_request_bytes: int
    max_json_bytes: int = Field(description="Of a request as JSON.")
    max_operations: int = Field(description="Of a pipeline, those of all outputs together.")
    max_outputs: int
    max_keep_for: int

    @classmethod
    def of(cls, settings: ApiSettings) -> "PreflightLimits":
        return cls(
            max_images=settings.max_images,
            max_image_bytes=settings.max_image_bytes,
            max_pixels=settings.max_pixels,
            max_request_bytes=settings.max_request_bytes,
            max_json_bytes=settings.max_json_bytes,
            max_operations=MAX_OPERATIONS,
            max_outputs=MAX_OUTPUTS,
            max_keep_for=settings.max_keep_for,
        )


class Preflight(BaseModel):
    """What `/process_images` would say, and what it would cost."""

    accepted: bool = Field(description="Whether the request would be taken in.")
    status: int = Field(description="The HTTP status it would be answered with.")
    error: str | None = Field(description="Why it would be refused.")
    code: ProblemCode | None = Field(description="The same for programs.")
    total: int = Field(description="Images of the request.")
    results: int = Field(description="Files that would be made, of all outputs.")
    operations: int = Field(description="Operations that would be done to images, all in all.")
    bytes: int = Field(description="Of the images that are accepted and sent with the request.")
    pixels: int = Field(description="Of the images that are accepted and sent with the request.")
    limits: PreflightLimits
    images: list[PreflightImage]

    @classmethod
    def of(cls, submission: Submission, services: Services) -> "Preflight":
        settings = services.settings
        images = [PreflightImage.of(index, image) for index, image in enumerate(submission.images)]
        fit = [image for image in images if image.accepted]
        outputs = submission.terms.outputs
        refusal = _refusal(submission.images, services)
        return cls(
            accepted=refusal is None,
            status=(refusal.code or 422) if refusal else 202,
            error=refusal.error if refusal else None,
            code=refusal.problem_code if refusal else None,
            total=len(images),
            results=len(fit) * max(1, len(outputs)),
            operations=sum(_operations(submission, submission.images[image.index]) for image in fit),
            bytes=sum(image.bytes or 0 for image in fit),
            pixels=sum((image.width or 0) * (image.height or 0) for image in fit),
            limits=PreflightLimits.of(settings),
            images=images,
        )


def _operations(submission: Submission, image: TakenImage) -> int:
    shared = submission.pipeline if image.pipeline is None else image.pipeline
    return len(shared) + sum(map(len, submission.terms.outputs.values()))


def _refusal(images: Sequence[TakenImage], services: Services) -> Problem | None:
    try:
        refuse_if_all_are_unfit(images)
        refuse_if_backlog_is_full(services, images, owner=owner())
    except Problem as problem:
        return problem
    return None


@blueprint.post(
    "/preflight",
    operation_id="preflight",
    security=NEEDS_KEY,
    responses=answers({200: Preflight}, 400, 401, 413, 415, 422, 503, 507),
    request_body=request_body(blueprint),
)
@asks_for_key
@needs_disk_space
def preflight() -> Response:
    """What `/process_images` would say to this request, and cost. Nothing is done, and nothing of it is kept.

    The images are looked at as there: by header and structure, without decoding them. A request that cannot be
    understood is answered with the same problem. URLs are not fetched.
    """
    return as_json(Preflight.of(bodies.read(), services()))
