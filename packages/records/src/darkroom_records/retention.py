"""How long results are kept where a group does not say so itself."""

from darkroom_runtime.settings import Settings
from pydantic import Field


class RetentionSettings(Settings):
    """The settings of a process that deletes expired groups, or tells when they expire."""

    keep_results: int = Field(24 * 3600, ge=1, description="Seconds after its end until a group is deleted.")
