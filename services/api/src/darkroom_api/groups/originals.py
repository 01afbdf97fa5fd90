"""Where the original of an image comes from: the request itself, an upload, an earlier group, or a URL."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol
from urllib.parse import unquote, urlsplit

import structlog
from darkroom_contracts.limits import MAX_URL
from darkroom_contracts.pipelines import PipelineData
from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.errors import ImageError
from darkroom_records.blobs import BlobNotFoundError, BlobStorage
from darkroom_records.file_names import clean

_UNWRITTEN = re.compile(r"[\x00-\x20\x7f-\x9f\\]")
_log = structlog.get_logger(__name__)


class Original(Protocol):
    """The original of one image, on its way into a group."""

    @property
    def identity(self) -> str:
        """The same for equal originals, as far as the request tells."""

    @property
    def unfit(self) -> ImageError | None:
        """Why it cannot be worked on at all."""

    @property
    def url(self) -> str | None:
        """Where it must be fetched from. There is nothing to be stored then."""

    @property
    def image_id(self) -> str | None:
        """The upload that it is."""

    def commit(self, key: str) -> None:
        """Store it under this key."""


class UploadNotFoundError(ImageError):
    """The upload that is named is unknown, or somebody else's."""

    code = ProblemCode.UPLOAD_NOT_FOUND


class OriginalMissingError(ImageError):
    """The earlier image that is named is unknown, or its original was not kept."""

    code = ProblemCode.ORIGINAL_MISSING


class InvalidUrlError(ImageError):
    """The URL is not one that can be fetched."""

    code = ProblemCode.INVALID_URL


@dataclass(frozen=True, slots=True)
class LinkedOriginal:
    """Bytes that the storage has already. They are not copied.

    Args:
        identity: names them.
        storage: where they are.
        source: under which key.
        image_id: the upload that they are.
    """

    identity: str
    storage: BlobStorage
    source: str
    image_id: str | None = None
    unfit: ClassVar[ImageError | None] = None
    url: ClassVar[str | None] = None

    def commit(self, key: str) -> None:
        try:
            self.storage.link(self.source, key)
        except BlobNotFoundError as error:  # deleted in this very moment: the worker says so of this image alone
            _log.warning("original_deleted_meanwhile", reason=str(error))


@dataclass(frozen=True, slots=True)
class RemoteOriginal:
    """Bytes that are fetched once the group is taken in."""

    url: str
    unfit: ClassVar[ImageError | None] = None
    image_id: ClassVar[str | None] = None

    @property
    def identity(self) -> str:
        return f"url:{self.url}"

    def commit(self, key: str) -> None:
        raise NotImplementedError(f"{key} is stored by whoever fetches it")


@dataclass(frozen=True, slots=True)
class MissingOriginal:
    """An original that cannot be had."""

    identity: str
    unfit: ImageError
    url: ClassVar[str | None] = None
    image_id: ClassVar[str | None] = None

    def commit(self, key: str) -> None:
        raise NotImplementedError(f"there is nothing to store under {key}")


def remote_original(url: str) -> RemoteOriginal | MissingOriginal:
    """The original at a URL, as far as can be seen without asking anybody. Whoever fetches it looks more closely."""
    original = RemoteOriginal(url)
    mistake = _mistake_in(url)
    return MissingOriginal(original.identity, InvalidUrlError(mistake)) if mistake else original


def name_from_url(url: str, index: int) -> str:
    """The file name in the path of a URL."""
    path = url.partition("://")[2].partition("#")[0].partition("?")[0].partition("/")[2]
    return clean(unquote(path.rpartition("/")[2], errors="replace").replace("/", "_").replace("\\", "_"), index)


def overlay_ids(pipelines: Collection[PipelineData]) -> Sequence[str]:
    """The ``image_id`` of each image that watermarks of these pipelines show, once."""
    steps: list[Mapping[str, object]] = [step for pipeline in pipelines for step in pipeline]
    named = (step.get("image_id") for step in steps if step.get("op") == "watermark")
    return list(dict.fromkeys(image_id for image_id in named if isinstance(image_id, str)))


def _mistake_in(url: str) -> str | None:
    if len(url) > MAX_URL:
        return f"The URL is too long: {len(url):,} characters; the limit is {MAX_URL:,}."
    if _UNWRITTEN.search(url):
        return "The URL contains spaces, backslashes or control characters; percent-encode them."
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "The URL cannot be parsed."
    if parts.scheme not in ("http", "https"):
        return "Only http and https URLs can be fetched."
    if "@" in parts.netloc:
        return "The URL must not contain a user name or password."
    return None if host else "The URL has no host."
