"""The group store: the one place that changes what is true of a group."""

from darkroom_records.groups.records import Cancelled, Ending, Group, Image, NewImage, Outcome, ToPublish, Work
from darkroom_records.groups.store import GroupEndedError, GroupRunningError, GroupStore, UnknownGroupError

__all__ = [
    "Cancelled",
    "Ending",
    "Group",
    "GroupEndedError",
    "GroupRunningError",
    "GroupStore",
    "Image",
    "NewImage",
    "Outcome",
    "ToPublish",
    "UnknownGroupError",
    "Work",
]
