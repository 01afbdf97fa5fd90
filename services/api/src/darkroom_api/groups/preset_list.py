"""The presets of this server."""

from typing import Any

from darkroom_contracts.formats import Metadata
from darkroom_imaging.operations import write_outputs, write_pipeline
from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from darkroom_api.groups.presets import Preset
from darkroom_api.http.api_keys import asks_for_key, key_name
from darkroom_api.http.bodies import as_json
from darkroom_api.http.openapi import GROUPS, NEEDS_KEY, answers
from darkroom_api.services import services

blueprint = APIBlueprint("presets", __name__, abp_tags=[GROUPS])


class PresetFacts(BaseModel):
    """What a preset does."""

    name: str
    description: str
    operations: list[dict[str, Any]] = Field(description="With every argument.")
    outputs: dict[str, list[dict[str, Any]]] = Field(description="The operations of each output by its name.")
    metadata: Metadata

    @classmethod
    def of(cls, name: str, preset: Preset) -> "PresetFacts":
        return cls(
            name=name,
            description=preset.description,
            operations=[dict(step) for step in write_pipeline(preset.operations)],
            outputs={
                output: [dict(step) for step in pipeline]
                for output, pipeline in write_outputs(preset.outputs or {}).items()
            },
            metadata=preset.metadata,
        )


class PresetList(BaseModel):
    """The presets that can be used, in the order of the server's file."""

    presets: list[PresetFacts]


@blueprint.get("/presets", operation_id="listPresets", security=NEEDS_KEY, responses=answers({200: PresetList}, 401))
@asks_for_key
def list_presets() -> Response:
    """The presets of this server; of an API key that is limited to some, those."""
    known = services().presets.of_key(key_name())
    return as_json(PresetList(presets=[PresetFacts.of(name, preset) for name, preset in known.items()]))
