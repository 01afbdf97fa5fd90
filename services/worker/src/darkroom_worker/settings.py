"""What the worker is told."""

from typing import Literal

from darkroom_contracts import limits
from darkroom_runtime.settings import Settings
from pydantic import Field, PositiveInt


class WorkerSettings(Settings):
    """Settings of the image worker."""

    worker_concurrency: PositiveInt | Literal["auto"] = Field(
        1, description="Images worked on at once; `auto` takes the processors this container may use."
    )
    image_time_limit: int = Field(100, ge=1, le=600, description="Seconds an image may take before it is given up.")
    max_image_bytes: PositiveInt = Field(limits.MAX_IMAGE_BYTES, description="The largest file of one image.")
    max_pixels: int = Field(limits.MAX_PIXELS, ge=1, le=limits.MOST_PIXELS, description="The most pixels of one image.")
    recovery_grace: int = Field(30, ge=1, description="Seconds after which an image nobody began is sent again.")

    @property
    def hard_time_limit(self) -> int:
        """Seconds after which the process that works on an image is killed: it has had time to give up by itself."""
        return self.image_time_limit + 20

    @property
    def longest_hold(self) -> int:
        """Seconds after which a living worker has certainly stopped working on an image."""
        return self.hard_time_limit + 10
