"""The operations: what each is called, takes and means.

Validation, the engine's arguments and the API's documentation all follow from the models here. Nothing here touches a
pixel, so whoever only checks or describes a pipeline needs no more than pydantic.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias, TypeVar, get_args

from darkroom_contracts.pipelines import PipelineData
from darkroom_contracts.sentences import SENTENCE, place, sentence
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from darkroom_imaging.errors import BadOperationError

MAX_OPERATIONS = 20
"""The most operations one pipeline may have."""
MAX_OUTPUTS = 8
"""The most outputs an image may have."""
MAX_REGIONS = 100
"""The most parts of an image that one operation may name."""
MAX_SIDE = 16_384
"""The longest side, in pixels, that an operation may ask for."""
MAX_RESULT_BYTES = 1_000_000_000
"""The largest file that a result may be asked to fit; none is as large."""
MAX_COORDINATE = 1_000_000
"""No image is as wide or high by far; a number beyond, in a region, is a mistake."""

Position: TypeAlias = Literal[
    "center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"
]
Coordinate: TypeAlias = Annotated[float, Field(ge=-MAX_COORDINATE, le=MAX_COORDINATE)]
Region: TypeAlias = tuple[Coordinate, Coordinate, Coordinate, Coordinate]
"""``[x, y, width, height]`` from the upper left corner, in pixels; in shares of the image when all four are <= 1."""


def _whole(number: Any) -> Any:
    return int(number) if isinstance(number, float) and number.is_integer() else number


WHOLE = BeforeValidator(_whole)
"""Lets an integer be a whole number as JSON Schema has it: 5.0 is one, too. It follows the limits, or they would be
missing in the schema."""
Side: TypeAlias = Annotated[int, Field(ge=1, le=MAX_SIDE), WHOLE]
Regions: TypeAlias = Annotated[tuple[Region, ...], Field(min_length=1, max_length=MAX_REGIONS)]


def _given(**types: str) -> JsonDict:
    """The rule that these arguments are given: with values of these types, not with null."""
    return {"required": list(types), "properties": {name: {"type": kind} for name, kind in types.items()}}


def _is_none(value: object) -> bool:
    return value is None


def _is_fast(value: object) -> bool:
    return value == "fast"


_WIDTH = _given(width="integer")
_HEIGHT = _given(height="integer")
_BOX = _given(box="array")


class Operation(BaseModel):
    """One step done to an image."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    op: str
    _rules: ClassVar[tuple[JsonDict, ...]] = ()
    """What is checked beside the arguments themselves, as JSON Schema says it: which of them go together."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        described = handler.resolve_ref_schema(schema)
        described["properties"]["op"].pop("default", None)
        described["required"] = ["op", *described.get("required", [])]
        if cls._rules:
            described["allOf"] = list(cls._rules)  # generators of clients make several types of a bare `anyOf`
        return schema


class Blur(Operation):
    """Gaussian blur. Edges are repeated; transparency is blurred with its colour."""

    op: Literal["blur"] = "blur"
    radius: float = Field(5.0, gt=0, le=250, description="Gaussian sigma in pixels.")
    regions: Regions | None = Field(None, description="Only these parts of the image.")


class Pixelate(Operation):
    """Replace squares by their mean colour."""

    op: Literal["pixelate"] = "pixelate"
    size: Annotated[int, Field(ge=2, le=1000), WHOLE] = Field(10, description="Side of a square in pixels.")
    regions: Regions | None = Field(None, description="Only these parts of the image.")


class Resize(Operation):
    """Change the size. One side given: the other follows, keeping the proportions."""

    op: Literal["resize"] = "resize"
    width: Side | None = Field(None, description="In pixels.")
    height: Side | None = Field(None, description="In pixels.")
    fit: Literal["inside", "cover", "fill"] = Field(
        "inside",
        description="`inside`: as large as fits, keeping proportions. `cover`: fill the box and cut what stands out, "
        "evenly. `fill`: stretch to the box.",
    )
    enlarge: bool = Field(False, description="Whether a smaller image may be made larger.")
    _rules = ({"anyOf": [_WIDTH, _HEIGHT]},)

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        _require(self.width or self.height, "resize needs a width, a height, or both")
        return self


class Crop(Operation):
    """Cut a part out: either a box, or a size held against a side or corner."""

    op: Literal["crop"] = "crop"
    box: Region | None = Field(None, description="The part to keep, as a region.")
    gravity: Position = Field("center", description="Where a part given by its size is taken.")
    width: Side | None = Field(None, description="In pixels.")
    height: Side | None = Field(None, description="In pixels.")
    _rules = (
        {"oneOf": [_BOX, {"anyOf": [_WIDTH, _HEIGHT]}]},
        {"anyOf": [_BOX, _given(width="integer", height="integer")]},
    )

    @model_validator(mode="after")
    def _has_one_part(self) -> Self:
        sides = [side for side in (self.width, self.height) if side]
        _require((self.box is None) != (not sides), "crop needs either a box or a width and height")
        _require(len(sides) != 1, "crop needs both a width and a height")
        return self


class Rotate(Operation):
    """Turn the image clockwise. Quarter turns are exact; other angles enlarge the canvas to hold the whole image."""

    op: Literal["rotate"] = "rotate"
    angle: float = Field(ge=-360, le=360, description="Degrees, clockwise.")
    background: str = Field(
        "#00000000",
        pattern=r"^#([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$",
        description="Colour of the corners, `#rrggbb` or `#rrggbbaa`; white where the format has no alpha.",
    )


class Flip(Operation):
    """Mirror the image."""

    op: Literal["flip"] = "flip"
    direction: Literal["horizontal", "vertical"] = Field(
        "horizontal", description="`horizontal` swaps left and right, `vertical` top and bottom."
    )


class Grayscale(Operation):
    """Take the colour out, keeping each pixel's luma (ITU-R BT.601) and its transparency."""

    op: Literal["grayscale"] = "grayscale"


class Sharpen(Operation):
    """Unsharp mask: add what a blur would take away."""

    op: Literal["sharpen"] = "sharpen"
    radius: float = Field(1.5, gt=0, le=50, description="Gaussian sigma in pixels.")
    amount: float = Field(1.0, gt=0, le=10, description="How much is added; 1 is all.")


class Adjust(Operation):
    """Change brightness, then contrast, then saturation. 1 leaves as is, 0 takes away, 2 doubles."""

    op: Literal["adjust"] = "adjust"
    brightness: float = Field(1.0, ge=0, le=10, description="0 is black.")
    contrast: float = Field(1.0, ge=0, le=10, description="0 is even grey.")
    saturation: float = Field(1.0, ge=0, le=10, description="0 is without colour.")


class Watermark(Operation):
    """Put a text or another image over the image."""

    op: Literal["watermark"] = "watermark"
    text: str | None = Field(None, min_length=1, max_length=200, description="One line.")
    image_id: str | None = Field(
        None,
        pattern="^[0-9a-f]{32}$",
        description="An image that was uploaded ahead.",
        json_schema_extra={"format": "image-id"},
    )
    position: Position = Field("bottom-right", description="Where it is put.")
    opacity: float = Field(0.5, gt=0, le=1, description="1 hides what is below.")
    scale: float = Field(0.25, gt=0, le=1, description="Its width as a share of the image.")
    _rules = ({"oneOf": [_given(text="string"), _given(image_id="string")]},)

    @model_validator(mode="after")
    def _has_one_mark(self) -> Self:
        _require((self.text is None) != (self.image_id is None), "watermark needs either a text or an image_id")
        return self


class Convert(Operation):
    """Choose the format of the result. Without it, the result keeps the format of the original."""

    op: Literal["convert"] = "convert"
    format: Literal["jpeg", "png", "webp", "avif", "gif", "tiff"] = Field(description="The new format.")
    quality: Annotated[int, Field(ge=1, le=100), WHOLE] | None = Field(
        None, description="For jpeg, webp and avif; each has its own default."
    )
    keep_profile: bool = Field(False, description="Keep the colour profile instead of converting to sRGB.")
    # Written down only where they are given, so that a worker of the version before can read all other pipelines.
    max_bytes: Annotated[int, Field(ge=1, le=MAX_RESULT_BYTES), WHOLE] | None = Field(
        None,
        description="The largest file in bytes. jpeg, webp and avif get the best quality that fits, at most `quality`; "
        "what cannot be made to fit fails.",
        exclude_if=_is_none,
    )
    effort: Literal["fast", "best"] = Field(
        "fast",
        description="`best` takes longer to write the same pixels in fewer bytes; for jpeg and png.",
        exclude_if=_is_fast,
    )


AnyOperation: TypeAlias = Annotated[
    Blur | Pixelate | Resize | Crop | Rotate | Flip | Grayscale | Sharpen | Adjust | Watermark | Convert,
    Field(discriminator="op"),
]
"""Any of the operations, told apart by its name."""
Operations: TypeAlias = Annotated[tuple[AnyOperation, ...], Field(max_length=MAX_OPERATIONS)]
"""A pipeline, as a request or a message brings it."""
Pipeline: TypeAlias = Sequence[Operation]
OUTPUT_NAME = r"^[a-z0-9-]{1,32}$"
OutputName: TypeAlias = Annotated[str, Field(pattern=OUTPUT_NAME)]
"""What an output is called: in addresses, and as a folder of the archive."""
Outputs: TypeAlias = Annotated[dict[OutputName, Operations], Field(min_length=1, max_length=MAX_OUTPUTS)]
"""The pipeline of each output by its name, as a request or a message brings them."""

OPERATIONS: Mapping[str, type[Operation]] = MappingProxyType(
    {kind.model_fields["op"].default: kind for kind in get_args(get_args(AnyOperation)[0])}
)
"""Every operation, by its name."""

_PIPELINE: TypeAdapter[tuple[Operation, ...]] = TypeAdapter(Operations)
_OUTPUTS: TypeAdapter[Mapping[str, tuple[Operation, ...]]] = TypeAdapter(Outputs)
_Read = TypeVar("_Read")


def read_pipeline(data: PipelineData) -> tuple[Operation, ...]:
    """The operations of a pipeline that was written down.

    Raises:
        BadOperationError: an operation is unknown, or its arguments are not its own; the message names it.
    """
    return _read(_PIPELINE, data, "operations")


def read_outputs(data: Mapping[str, PipelineData]) -> Mapping[str, tuple[Operation, ...]]:
    """The pipelines of outputs that were written down, by their names.

    Raises:
        BadOperationError: as for ``read_pipeline``; or a name is not one that an output can have.
    """
    return _read(_OUTPUTS, data, "outputs")


def write_pipeline(pipeline: Pipeline) -> PipelineData:
    """The pipeline as plain JSON, with every argument: it says what is done, whatever the defaults become."""
    return [operation.model_dump(mode="json") for operation in pipeline]


def write_outputs(outputs: Mapping[str, Pipeline]) -> Mapping[str, PipelineData]:
    """The pipelines of outputs as plain JSON, as ``write_pipeline`` does."""
    return {name: write_pipeline(pipeline) for name, pipeline in outputs.items()}


def overlay_ids(pipeline: Pipeline) -> tuple[str, ...]:
    """The ``image_id`` of each image that the pipeline's watermarks need, once and in their order."""
    marks = (operation.image_id for operation in pipeline if isinstance(operation, Watermark))
    return tuple(dict.fromkeys(image_id for image_id in marks if image_id is not None))


def _read(adapter: TypeAdapter[_Read], data: object, name: str) -> _Read:
    try:
        return adapter.validate_json(json.dumps(data))
    except ValidationError as error:
        mistake = error.errors(include_url=False, include_input=False)[0]
        where = place((name, *mistake["loc"]), besides=frozenset(OPERATIONS))
        raise BadOperationError(f"{where}: {sentence(mistake['type'], mistake.get('ctx', {}))}.") from None


def _require(holds: object, rule: str) -> None:
    if not holds:
        raise PydanticCustomError(SENTENCE, "{sentence}", {"sentence": rule})
