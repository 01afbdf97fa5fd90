"""The settings of the worker."""

from typing import Literal

from darkroom_contracts import limits
from darkroom_records.storage import StorageSettings
from darkroom_records.time_limits import TimeLimitSettings
from darkroom_runtime.settings import ConsumerSettings
from pydantic import ByteSize, Field, PositiveInt

from darkroom_worker import machine


class WorkerSettings(StorageSettings, TimeLimitSettings, ConsumerSettings):
    """Settings of the image worker."""

    worker_concurrency: PositiveInt | Literal["auto"] = Field(
        "auto",
        description="Images processed at once; `auto` uses all processors available to the container, "
        "as far as its memory allows.",
    )
    worker_memory: ByteSize = Field(
        ByteSize(1536 * 1000**2), description="The most memory a worker takes; its container may limit it further."
    )
    max_image_bytes: PositiveInt = Field(limits.MAX_IMAGE_BYTES, description="The largest file of one image.")
    max_pixels: int = Field(limits.MAX_PIXELS, ge=1, le=limits.MOST_PIXELS, description="The most pixels of one image.")

    @property
    def memory(self) -> int:
        """The bytes this worker may take."""
        return machine.memory(self.worker_memory)

    @property
    def processes(self) -> int:
        """How many processes its pool has."""
        if self.worker_concurrency != "auto":
            return self.worker_concurrency
        return machine.pool_size(machine.processors(), self.memory)
