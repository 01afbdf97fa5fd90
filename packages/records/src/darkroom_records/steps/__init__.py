"""Steps: Lua scripts that change records, each done once for a call, however often the call has to be sent."""

from darkroom_records.steps.step import Step

__all__ = ["Step"]
