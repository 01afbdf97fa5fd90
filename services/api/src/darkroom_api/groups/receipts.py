"""What is answered to who asked for something to be done with a group."""

from darkroom_contracts.states import GroupState
from pydantic import BaseModel, Field

from darkroom_api.groups.responses import Accepted


class CancelReceipt(BaseModel):
    """What a group had come to when it was cancelled. The three counts add up to its images."""

    group_id: str
    state: GroupState
    finished: int = Field(description="Images that had ended; results among them stay.")
    aborted: int = Field(description="Images that were being worked on, and were stopped.")
    never_started: int = Field(description="Images that no worker had begun.")


class RetryReceipt(Accepted):
    """Failed images of a group wait to be worked on again."""

    retried: int = Field(ge=1, description="How many they are.")
