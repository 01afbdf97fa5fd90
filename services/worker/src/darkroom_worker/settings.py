"""The settings of the worker."""

from typing import Literal

from darkroom_contracts import limits
from darkroom_records.storage import StorageSettings
from darkroom_records.time_limits import TimeLimitSettings
from pydantic import Field, PositiveInt


class WorkerSettings(StorageSettings, TimeLimitSettings):
    """Settings of the image worker."""

    worker_concurrency: PositiveInt | Literal["auto"] = Field(
        1, description="Images processed at once; `auto` uses all processors available to the container."
    )
    max_image_bytes: PositiveInt = Field(limits.MAX_IMAGE_BYTES, description="The largest file of one image.")
    max_pixels: int = Field(limits.MAX_PIXELS, ge=1, le=limits.MOST_PIXELS, description="The most pixels of one image.")
