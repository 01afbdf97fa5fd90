"""Which blob storage there is, by the settings: a folder, or a bucket."""

from pathlib import Path
from typing import Annotated, Literal

from darkroom_contracts.sentences import SENTENCE
from darkroom_runtime.settings import Settings
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from darkroom_records.aws_settings import AwsSettings
from darkroom_records.blobs import BlobStorage, LocalBlobStorage
from darkroom_records.s3_location import S3Location


def _check(url: str) -> str:
    try:
        S3Location.of(url)
    except ValueError as error:
        raise PydanticCustomError(SENTENCE, "{sentence}", {"sentence": str(error)}) from None
    return url


class StorageSettings(Settings):
    """The settings of whoever reads or writes images."""

    storage_dir: Path = Field(
        Path("data/blobs"),
        description="The folder that holds originals and results; with a bucket, only what is on its way there.",
    )
    storage_url: Annotated[str, AfterValidator(_check)] | None = Field(
        None,
        description="The bucket that holds them in its place: `s3://bucket/prefix?endpoint=https://...&region=...`.",
    )
    durability: Literal["normal", "strict"] = Field(
        "normal",
        description="With `strict`, an image counts as stored when the disk has it, not only the system's memory.",
    )


def make_storage(settings: StorageSettings, *, must_exist: bool = True) -> BlobStorage:
    """Make the storage that all services of a system share. Nothing is opened before it is used.

    Args:
        settings: which it is.
        must_exist: False for who takes images in: a folder that is missing is then made.
    """
    if settings.storage_url is None:
        strict = settings.durability == "strict"
        return LocalBlobStorage(settings.storage_dir, must_exist=must_exist, strict=strict)
    # Not above: its library takes 15 ms and 6 MB, and most systems have a folder.
    from darkroom_records.s3_blobs import S3BlobStorage

    return S3BlobStorage(S3Location.of(settings.storage_url), settings.storage_dir, AwsSettings())
