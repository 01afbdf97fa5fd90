"""The settings of the maintenance service."""

from darkroom_records.retention import RetentionSettings
from darkroom_records.storage import StorageSettings
from darkroom_records.time_limits import FetchTimeSettings, TimeLimitSettings
from darkroom_runtime.settings import ConsumerSettings
from pydantic import Field


class MaintenanceSettings(StorageSettings, RetentionSettings, TimeLimitSettings, FetchTimeSettings, ConsumerSettings):
    """When work counts as lost."""

    recovery_grace: int = Field(10, ge=1, description="Seconds after which an image nobody began is sent again.")
