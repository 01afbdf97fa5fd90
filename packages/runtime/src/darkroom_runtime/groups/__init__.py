"""The group store: the one place that changes what is true of a group."""

from darkroom_runtime.groups.records import Group, Image, NewImage, Outcome, Work
from darkroom_runtime.groups.store import GroupStore, UnknownGroupError

__all__ = ["Group", "GroupStore", "Image", "NewImage", "Outcome", "UnknownGroupError", "Work"]
