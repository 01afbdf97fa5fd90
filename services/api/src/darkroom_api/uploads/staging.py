"""Images on their way in: their bytes go straight into storage, and count for nothing until they are committed."""

import hashlib
import io
from typing import TYPE_CHECKING, cast

from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.errors import ImageError
from darkroom_imaging.inspection import Header, inspect
from darkroom_imaging.limits import Limits
from darkroom_imaging.scanning import Budget
from darkroom_records.blobs import BlobStorage, BlobWriter
from flask import Request, request
from werkzeug.datastructures import FileStorage

from darkroom_api.http.problems import Problem
from darkroom_api.services import services
from darkroom_api.settings import ApiSettings

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class StagedImage:
    """One image, measured and looked at while it is written, but not yet kept."""

    def __init__(self, writer: BlobWriter, limits: Limits, budget: Budget) -> None:
        self._budget = budget
        self._writer = writer
        self._limits = limits
        self._digest = hashlib.sha256()
        self.size = 0
        """The bytes that were sent."""
        self.unfit: ImageError | None = None
        self.header: Header | None = None
        """Its format and size, once it is complete and fit."""

    url = image_id = None

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    @property
    def identity(self) -> str:
        """What tells it from others."""
        return self.sha256

    def write(self, data: bytes) -> int:
        self.size += len(data)
        if self.size <= self._limits.max_bytes:
            self._digest.update(data)
            self._writer.write(data)
        return len(data)

    def complete(self) -> None:
        """End the writing, and find out whether this is an image that can be worked on."""
        try:
            with self._writer.read_back() as file:  # closes what was written to, too: a thousand may be staged
                self._limits.check_bytes(self.size)
                self.header = inspect(file, self._limits, self._budget)
        except ImageError as error:
            self.unfit = error

    def commit(self, key: str) -> None:
        self._writer.commit(key)

    def close(self) -> None:
        """Forget what was not committed."""
        self._writer.discard()


class Staging:
    """The images of one request.

    Args:
        storage: where they are written.
        settings: how many there may be, and how large.
    """

    def __init__(self, storage: BlobStorage, settings: ApiSettings) -> None:
        self._storage = storage
        self._max_images = settings.max_images
        self._limits = Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels)
        self._budget = Budget()  # how much is looked at in all of them together
        self._images: list[StagedImage] = []

    def begin(self) -> StagedImage:
        """Begin an image.

        Raises:
            Problem: there are too many.
        """
        if len(self._images) == self._max_images:
            raise too_many_images(self._max_images)
        image = StagedImage(self._storage.writer(), self._limits, self._budget)
        self._images.append(image)
        return image

    def close(self) -> None:
        """Forget what was not committed."""
        for image in self._images:
            image.close()


class Upload(io.BytesIO):
    """A file of a form, for the form parser to write to. It keeps nothing itself: its bytes go into the image."""

    def __init__(self, image: StagedImage) -> None:
        super().__init__()
        self.image = image

    def write(self, data: "ReadableBuffer", /) -> int:
        return self.image.write(bytes(data))


class StagingRequest(Request):
    """A request that holds the images it brought, and forgets at its end what was not committed."""

    _staging: Staging | None = None
    _upload: Upload | None = None

    @property
    def staging(self) -> Staging:
        """The images of this request."""
        if self._staging is None:
            self._staging = Staging(services().storage, services().settings)
        return self._staging

    def close(self) -> None:
        if self._staging:
            self._staging.close()
        super().close()

    def _get_file_stream(self, *_args: object, **_kwargs: object) -> Upload:
        self._end_upload()
        self._upload = Upload(self.staging.begin())
        return self._upload

    def _load_form_data(self) -> None:
        super()._load_form_data()
        self._end_upload()

    def _end_upload(self) -> None:
        """Complete the file before: the form parser has come to the next one, or to the end of the form."""
        if self._upload:
            self._upload.image.complete()
            self._upload = None


def uploaded_image(file: FileStorage) -> StagedImage:
    """Return the image that a file of a form was written to."""
    upload = file.stream
    if not isinstance(upload, Upload):
        raise TypeError(f"not an upload: {upload!r}")
    return upload.image


def too_many_images(limit: int) -> Problem:
    return Problem(413, f"Too many images: the limit is {limit:,} per request.", code=ProblemCode.TOO_MANY_IMAGES)


def current_staging() -> Staging:
    """Return the images of the current request."""
    return cast("StagingRequest", request).staging
