"""The operations a pipeline is made of: their names, arguments, defaults and limits.

Each operation is a frozen dataclass. A field's ``metadata`` holds its limits and its description under the names that
JSON Schema validators share (``gt``, ``ge``, ``lt``, ``le``, ``min_length``, ``max_length``, ``pattern``), so that the
API derives its validation and its documentation from here and the worker its defaults.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

MAX_COORDINATE = 1_000_000
"""No image is as wide or high by far; numbers beyond are mistakes."""


@dataclass(frozen=True, slots=True)
class Range:
    """The limits of a number within an argument, under the names of a field's ``metadata``."""

    ge: float
    le: float


_Coordinate: TypeAlias = Annotated[float, Range(-MAX_COORDINATE, MAX_COORDINATE)]
Region: TypeAlias = tuple[_Coordinate, _Coordinate, _Coordinate, _Coordinate]
"""``[x, y, width, height]`` from the upper left corner, in pixels; in shares of the image when all four are <= 1."""

Position: TypeAlias = Literal[
    "center", "top", "bottom", "left", "right", "top-left", "top-right", "bottom-left", "bottom-right"
]

MAX_REGIONS = 100
MAX_SIDE = 16_384
"""The longest side, in pixels, that an operation may ask for."""
MAX_OPERATIONS = 20
"""The most operations one pipeline may have."""

_REGIONS = {"min_length": 1, "max_length": MAX_REGIONS, "description": "Only these parts of the image."}


class Operation:
    """One step done to an image."""

    __slots__ = ()
    op: ClassVar[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Blur(Operation):
    """Gaussian blur. Edges are repeated; transparency is blurred with its colour."""

    op: ClassVar[str] = "blur"
    radius: float = field(default=5.0, metadata={"gt": 0, "le": 250, "description": "Gaussian sigma in pixels."})
    regions: tuple[Region, ...] | None = field(default=None, metadata=_REGIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixelate(Operation):
    """Replace squares by their mean colour."""

    op: ClassVar[str] = "pixelate"
    size: int = field(default=10, metadata={"ge": 2, "le": 1000, "description": "Side of a square in pixels."})
    regions: tuple[Region, ...] | None = field(default=None, metadata=_REGIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize(Operation):
    """Change the size. One side given: the other follows, keeping the proportions."""

    op: ClassVar[str] = "resize"
    width: int | None = field(default=None, metadata={"ge": 1, "le": MAX_SIDE, "description": "In pixels."})
    height: int | None = field(default=None, metadata={"ge": 1, "le": MAX_SIDE, "description": "In pixels."})
    fit: Literal["inside", "cover", "fill"] = field(
        default="inside",
        metadata={
            "description": "`inside`: as large as fits, keeping proportions. `cover`: fill the box and cut what stands "
            "out, evenly. `fill`: stretch to the box."
        },
    )
    enlarge: bool = field(default=False, metadata={"description": "Whether a smaller image may be made larger."})

    def __post_init__(self) -> None:
        if self.width is None and self.height is None:
            raise ValueError("resize needs a width, a height, or both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop(Operation):
    """Cut a part out: either a box, or a size held against a side or corner."""

    op: ClassVar[str] = "crop"
    box: Region | None = field(default=None, metadata={"description": "The part to keep, as a region."})
    gravity: Position = field(default="center", metadata={"description": "Where a part given by its size is taken."})
    width: int | None = field(default=None, metadata={"ge": 1, "le": MAX_SIDE, "description": "In pixels."})
    height: int | None = field(default=None, metadata={"ge": 1, "le": MAX_SIDE, "description": "In pixels."})

    def __post_init__(self) -> None:
        if (self.box is None) == (self.width is None and self.height is None):
            raise ValueError("crop needs either a box or a width and height")
        if self.box is None and (self.width is None or self.height is None):
            raise ValueError("crop needs both a width and a height")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate(Operation):
    """Turn the image clockwise. Quarter turns are exact; other angles enlarge the canvas to hold the whole image."""

    op: ClassVar[str] = "rotate"
    angle: float = field(metadata={"ge": -360, "le": 360, "description": "Degrees, clockwise."})
    background: str = field(
        default="#00000000",
        metadata={
            "pattern": r"^#([0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$",
            "description": "Colour of the corners, `#rrggbb` or `#rrggbbaa`; white where the format has no alpha.",
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip(Operation):
    """Mirror the image."""

    op: ClassVar[str] = "flip"
    direction: Literal["horizontal", "vertical"] = field(
        default="horizontal", metadata={"description": "`horizontal` swaps left and right, `vertical` top and bottom."}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grayscale(Operation):
    """Take the colour out, keeping each pixel's luma (ITU-R BT.601) and its transparency."""

    op: ClassVar[str] = "grayscale"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharpen(Operation):
    """Unsharp mask: add what a blur would take away."""

    op: ClassVar[str] = "sharpen"
    radius: float = field(default=1.5, metadata={"gt": 0, "le": 50, "description": "Gaussian sigma in pixels."})
    amount: float = field(default=1.0, metadata={"gt": 0, "le": 10, "description": "How much is added; 1 is all."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjust(Operation):
    """Change brightness, then contrast, then saturation. 1 leaves as is, 0 takes away, 2 doubles."""

    op: ClassVar[str] = "adjust"
    brightness: float = field(default=1.0, metadata={"ge": 0, "le": 10, "description": "0 is black."})
    contrast: float = field(default=1.0, metadata={"ge": 0, "le": 10, "description": "0 is even grey."})
    saturation: float = field(default=1.0, metadata={"ge": 0, "le": 10, "description": "0 is without colour."})


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark(Operation):
    """Put a text or another image over the image."""

    op: ClassVar[str] = "watermark"
    text: str | None = field(default=None, metadata={"min_length": 1, "max_length": 200, "description": "One line."})
    image_id: str | None = field(
        default=None, metadata={"pattern": "^[0-9a-f]{32}$", "description": "An earlier upload."}
    )
    position: Position = field(default="bottom-right", metadata={"description": "Where it is put."})
    opacity: float = field(default=0.5, metadata={"gt": 0, "le": 1, "description": "1 hides what is below."})
    scale: float = field(default=0.25, metadata={"gt": 0, "le": 1, "description": "Its width as a share of the image."})

    def __post_init__(self) -> None:
        if (self.text is None) == (self.image_id is None):
            raise ValueError("watermark needs either a text or an image_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Convert(Operation):
    """Choose the format of the result. Without it, the result keeps the format of the original."""

    op: ClassVar[str] = "convert"
    format: Literal["jpeg", "png", "webp", "avif", "gif", "tiff"] = field(metadata={"description": "The new format."})
    quality: int | None = field(
        default=None, metadata={"ge": 1, "le": 100, "description": "For jpeg, webp and avif; each has its own default."}
    )
    keep_profile: bool = field(
        default=False, metadata={"description": "Keep the colour profile instead of converting to sRGB."}
    )


OPERATIONS: Mapping[str, type[Operation]] = MappingProxyType(
    {
        operation.op: operation
        for operation in (
            Blur,
            Pixelate,
            Resize,
            Crop,
            Rotate,
            Flip,
            Grayscale,
            Sharpen,
            Adjust,
            Watermark,
            Convert,
        )
    }
)
"""Every operation, by its name."""

Pipeline: TypeAlias = tuple[Operation, ...]


def to_message(pipeline: Sequence[Operation]) -> list[dict[str, Any]]:
    """The pipeline as plain JSON, without the arguments that have their default."""
    return [{"op": operation.op} | _given(operation) for operation in pipeline]


def from_message(message: Sequence[Mapping[str, Any]]) -> Pipeline:
    """The pipeline that ``to_message`` gave.

    Raises:
        ValueError: an operation is unknown, or its arguments are not its own.
    """
    return tuple(_operation(**step) for step in message)


def _given(operation: Operation) -> dict[str, Any]:
    values = {argument: getattr(operation, argument.name) for argument in fields(operation)}  # type: ignore[arg-type]
    return {argument.name: value for argument, value in values.items() if value != argument.default}


def _operation(op: str, **arguments: Any) -> Operation:
    if op not in OPERATIONS:
        raise ValueError(f"there is no operation {op!r}")
    try:
        return OPERATIONS[op](**{name: _frozen(value) for name, value in arguments.items()})
    except TypeError as error:
        raise ValueError(f"{op} does not take these arguments: {error}") from None


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value
