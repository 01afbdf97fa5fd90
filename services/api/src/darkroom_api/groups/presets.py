"""Presets: pipelines and sets of outputs that have a name on this server, and the keys that are limited to some."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from darkroom_contracts.formats import Metadata
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.sentences import place, sentence
from darkroom_imaging.operations import OPERATIONS, Operation, Operations, Watermark
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from darkroom_api.groups.requests import Members, Outputs, PresetName, mistake
from darkroom_api.http.problems import Problem
from darkroom_api.http.validation import problem_of


def _lasting(pipeline: tuple[Operation, ...]) -> tuple[Operation, ...]:
    if any(isinstance(step, Watermark) and step.image_id for step in pipeline):
        raise mistake("a preset's watermark needs a text: an upload expires")
    return pipeline


def _all_lasting(outputs: dict[str, tuple[Operation, ...]]) -> dict[str, tuple[Operation, ...]]:
    for pipeline in outputs.values():
        _lasting(pipeline)
    return outputs


class Preset(BaseModel):
    """What is done to images under one name."""

    model_config = ConfigDict(strict=True, extra="forbid")

    description: str = ""
    operations: Annotated[Operations, AfterValidator(_lasting)] = ()
    outputs: Annotated[Outputs, AfterValidator(_all_lasting)] | None = None
    metadata: Metadata = Metadata.NONE


class KeyLimits(BaseModel):
    """What an API key may be used for."""

    model_config = ConfigDict(strict=True, extra="forbid")

    presets: list[PresetName] = Field(min_length=1)


class Presets(BaseModel):
    """The presets of a server, and the keys that are limited to some of them, by their names."""

    model_config = ConfigDict(strict=True, extra="forbid")

    presets: dict[PresetName, Preset] = {}
    keys: dict[PresetName, KeyLimits] = {}

    def of_key(self, key: str | None) -> Mapping[str, Preset]:
        """The presets that a key may use."""
        if not self.is_limited(key):
            return self.presets
        return {name: self.presets[name] for name in self.keys[key or ""].presets}

    def is_limited(self, key: str | None) -> bool:
        """Whether a key may use nothing but some presets."""
        return key in self.keys


def read_presets(path: Path | None, keys: frozenset[str] = frozenset()) -> Presets:
    """Read a file of presets (TOML). Without a file there are none.

    Args:
        path: where it is.
        keys: the names of the server's API keys.

    Raises:
        ValueError: what is wrong with it, and where.
    """
    if path is None:
        return Presets()
    try:
        text = json.dumps(tomllib.loads(path.read_text()), default=str)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise ValueError(f"{path} is not valid TOML: {error}") from None
    try:
        read = Presets.model_validate_json(text)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        where = place(wrong["loc"], besides=frozenset(OPERATIONS))
        raise ValueError(f"{path}: {where}: {sentence(wrong['type'], wrong.get('ctx', {}))}") from None
    for name, limits in read.keys.items():
        if name not in keys:
            raise ValueError(f"{path}: keys.{name}: DARKROOM_API_KEYS has no key of this name")
        if unknown := sorted(set(limits.presets) - read.presets.keys()):
            raise ValueError(f"{path}: keys.{name}.presets: there is no preset {unknown[0]!r}")
    return read


Wanted = TypeVar("Wanted", bound=Members)


def with_preset(wanted: Wanted, presets: Presets, key: str | None) -> Wanted:
    """What is wanted, with the operations and outputs of the preset that it names.

    Args:
        wanted: the members of a request.
        presets: those of this server.
        key: the name of the request's API key.

    Raises:
        Problem: 422 where there is no such preset, 403 where the key may not use it, or needs one.
    """
    known = presets.of_key(key)
    if wanted.preset is None:
        refuse_if_limited(presets, key)
        return wanted
    if wanted.preset not in presets.presets:
        has = f"this server has {', '.join(presets.presets)}" if presets.presets else "this server has none"
        raise problem_of([("preset", f"unknown preset {wanted.preset!r}; {has}")])
    if wanted.preset not in known:
        refuse_if_limited(presets, key)
    preset = known[wanted.preset]
    found: dict[str, Any] = {"operations": preset.operations, "outputs": preset.outputs}
    if "metadata" not in wanted.model_fields_set:
        found["metadata"] = preset.metadata
    return wanted.model_copy(update=found)


def refuse_if_limited(presets: Presets, key: str | None) -> None:
    """Refuse what is not one of the presets that a key is limited to.

    Raises:
        Problem: 403, where it is limited.
    """
    if presets.is_limited(key):
        raise Problem(
            403,
            f"This API key is limited to presets. Name one of them as `preset`, and no operations of your own: "
            f"{', '.join(presets.of_key(key))}.",
            code=ProblemCode.PRESET_NOT_ALLOWED,
            error="This API key is limited to presets",
        )
