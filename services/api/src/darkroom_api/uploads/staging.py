"""Images on their way in: their bytes go straight into storage, and count for nothing until they are committed."""

import hashlib
from functools import cached_property
from typing import IO, cast

from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.errors import ImageError
from darkroom_imaging.inspection import inspect
from darkroom_imaging.limits import Limits
from darkroom_imaging.scanning import Budget
from darkroom_records.blobs import BlobWriter
from flask import Request
from flask import request as current_request

from darkroom_api.http.problems import Problem
from darkroom_api.services import services
from darkroom_api.settings import ApiSettings


class StagedImage:
    """One image, measured and looked at while it is written, but not yet kept."""

    def __init__(self, writer: BlobWriter, limits: ApiSettings, budget: Budget) -> None:
        self._budget = budget
        self._writer = writer
        self._limits = limits
        self._digest = hashlib.sha256()
        self._size = 0
        self.unfit: ImageError | None = None

    @property
    def size(self) -> int:
        """The bytes that were sent."""
        return self._size

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> int:
        self._size += len(data)
        if self._size <= self._limits.max_image_bytes:
            self._digest.update(data)
            self._writer.write(data)
        return len(data)

    def complete(self) -> None:
        """End the writing, and find out whether this is an image that can be worked on."""
        try:
            self._look()
        except ImageError as error:
            self.unfit = error

    def seek(self, _offset: int) -> None:
        """What the form parser does with a file after its last byte."""
        self.complete()

    def commit(self, key: str) -> None:
        self._writer.commit(key)

    def close(self) -> None:
        """Forget what was not committed."""
        self._writer.discard()

    def _look(self) -> None:
        with self._writer.read_back() as file:  # closes what was written to, too: a thousand images may be staged
            limits = Limits(max_bytes=self._limits.max_image_bytes, max_pixels=self._limits.max_pixels)
            limits.check_bytes(self._size)
            inspect(file, limits, self._budget)


class StagingRequest(Request):
    """A request that holds the images it brought, and forgets at its end what was not committed."""

    _staged: list[StagedImage] | None = None

    @cached_property
    def _budget(self) -> Budget:
        """How much is looked at in all images of this request together."""
        return Budget()

    def stage(self) -> StagedImage:
        """Begin an image.

        Raises:
            Problem: there are too many.
        """
        limits = services().settings
        staged = self._staged = self._staged or []
        if len(staged) == limits.max_images:
            raise too_many_images()
        image = StagedImage(services().storage.writer(), limits, self._budget)
        staged.append(image)
        return image

    def close(self) -> None:
        for image in self._staged or ():
            image.close()
        super().close()

    def _get_file_stream(self, *_args: object, **_kwargs: object) -> IO[bytes]:
        return cast("IO[bytes]", self.stage())  # it is as much of a file as the form parser asks for


def too_many_images() -> Problem:
    return Problem(
        413,
        f"A request may bring at most {services().settings.max_images:,} images.",
        code=ProblemCode.TOO_MANY_IMAGES,
    )


def staging_request() -> StagingRequest:
    """The current request."""
    return cast("StagingRequest", current_request)
