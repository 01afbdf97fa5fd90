"""What an operation may look like in a request, derived from the operations' own definitions."""

from dataclasses import MISSING, asdict, fields
from dataclasses import Field as DataclassField
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from darkroom_contracts.operations import MAX_OPERATIONS, OPERATIONS, Operation
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model
from pydantic.config import JsonDict

from darkroom_api.http.numbers import Integer

_NOT_YET = {"image_id"}
"""Arguments that are not taken before images can be uploaded ahead."""

_RULES: dict[str, JsonDict] = {
    "resize": {"anyOf": [{"required": ["width"]}, {"required": ["height"]}]},
    "crop": {
        "allOf": [
            {"oneOf": [{"required": ["box"]}, {"required": ["width"]}]},
            {"oneOf": [{"required": ["box"]}, {"required": ["height"]}]},
        ]
    },
    "watermark": {"required": ["op", "text"]},
}
"""What the operations check themselves, as the document says it: which arguments go together."""


class _Arguments(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


def _model(operation: type[Operation]) -> type[_Arguments]:
    hints = get_type_hints(operation, include_extras=True)
    arguments: dict[str, Any] = {"op": (Literal[operation.op], ...)} | {
        argument.name: (_given(hints[argument.name]), _field(argument))
        for argument in fields(operation)  # type: ignore[arg-type]  # each is a dataclass, their base is not
        if argument.name not in _NOT_YET
    }
    return create_model(
        operation.__name__,
        __base__=type("_Base", (_Arguments,), {"model_config": ConfigDict(json_schema_extra=_RULES.get(operation.op))}),
        __doc__=operation.__doc__,
        **arguments,
    )


def _given(hint: Any) -> Any:
    """The type of an argument when it is given; leaving it out is the way to give none."""
    if get_origin(hint) in {Union, UnionType}:
        (hint,) = (kind for kind in get_args(hint) if kind is not NoneType)
    return Integer if hint is int else _with_ranges(hint)


def _with_ranges(hint: Any) -> Any:
    """The type with the ranges of the numbers in it as pydantic states them."""
    inner = get_args(hint)
    if get_origin(hint) is Annotated:
        return Annotated[inner[0], Field(**asdict(inner[1]))]
    if get_origin(hint) is tuple:
        return tuple[tuple(map(_with_ranges, inner))]  # type: ignore[misc]  # made at run time
    return hint


def _field(argument: "DataclassField[Any]") -> Any:
    if argument.default is MISSING:
        return Field(**argument.metadata)
    if argument.default is None:
        return Field(None, json_schema_extra=without_default, **argument.metadata)
    return Field(argument.default, **argument.metadata)


def without_default(schema: JsonDict) -> None:
    """Take the default out of a schema whose member is left out rather than null."""
    schema.pop("default", None)


MODELS = {name: _model(operation) for name, operation in OPERATIONS.items()}
"""The model of each operation, by its name."""


def _operation(arguments: _Arguments) -> Operation:
    given = {name: getattr(arguments, name) for name in arguments.model_fields_set if name != "op"}
    return OPERATIONS[arguments.op](**given)  # type: ignore[attr-defined]  # every model made above has it


if TYPE_CHECKING:
    AnyOperation: TypeAlias = Operation
else:
    AnyOperation = Annotated[
        Union[tuple(MODELS.values())],  # noqa: UP007 - made at run time
        Field(discriminator="op"),
        AfterValidator(_operation),
    ]
    """An operation in a request; an ``Operation`` once it was validated."""

Operations: TypeAlias = Annotated[list[AnyOperation], Field(max_length=MAX_OPERATIONS)]
