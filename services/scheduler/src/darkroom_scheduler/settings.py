"""The settings of the scheduler."""

from darkroom_runtime.settings import Settings
from pydantic import Field


class SchedulerSettings(Settings):
    """Settings of the scheduler."""

    recovery_interval: float = Field(5.0, ge=1, description="Seconds between two searches for lost images.")
    expiry_interval: float = Field(600.0, ge=1, description="Seconds between two searches for groups to delete.")
    mail_interval: float = Field(
        30.0, ge=1, le=60, description="Seconds between two searches for email that is due, the newsletter included."
    )
