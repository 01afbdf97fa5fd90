"""How long an image may be worked on or fetched: services keep to it, and the search for lost images relies on it."""

from darkroom_runtime.settings import Settings
from pydantic import Field


class TimeLimitSettings(Settings):
    """The settings of whoever limits the time of an image, or rests on that limit."""

    image_time_limit: int = Field(100, ge=1, le=600, description="Seconds an image may take before it is given up.")

    @property
    def max_memory_wait(self) -> int:
        """Seconds an image may wait for the memory that it needs, before any of its time counts."""
        return min(self.image_time_limit, 60)

    @property
    def hard_time_limit(self) -> int:
        """Seconds after which the process that works on an image is killed: it has had time to give up by itself."""
        return self.max_memory_wait + self.image_time_limit + 20

    @property
    def max_hold(self) -> int:
        """Seconds after which a living worker has certainly stopped working on an image."""
        return self.hard_time_limit + 10


class FetchTimeSettings(Settings):
    """The settings of whoever limits the time for fetching an image's original, or relies on that limit."""

    outbound_timeout: float = Field(
        60.0, gt=0, le=600, description="Seconds for fetching a file, with its redirects and to its last byte."
    )

    @property
    def max_fetch(self) -> float:
        """Seconds after which a living service has certainly stopped fetching an original."""
        return self.outbound_timeout + 60
