"""Hold operations against the limits that the contracts state for their arguments."""

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from darkroom_contracts.operations import MAX_OPERATIONS, Operation, Range

from darkroom_imaging.errors import BadOperationError

_RULES: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = MappingProxyType(
    {
        "gt": (operator.gt, "has to be more than {}"),
        "ge": (operator.ge, "has to be at least {}"),
        "lt": (operator.lt, "has to be less than {}"),
        "le": (operator.le, "can be at most {}"),
        "min_length": (lambda value, length: len(value) >= length, "has to have at least {} of them"),
        "max_length": (lambda value, length: len(value) <= length, "can have at most {} of them"),
        "pattern": (lambda value, pattern: re.fullmatch(pattern, value) is not None, "has to match {}"),
    }
)


_KINDS: Mapping[type, type | tuple[type, ...]] = MappingProxyType({float: (float, int), int: int, bool: bool, str: str})
_NAMES: Mapping[type, str] = MappingProxyType(
    {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}
)


def check(pipeline: Sequence[Operation]) -> None:
    """Refuse a pipeline whose arguments are beyond their limits.

    Raises:
        BadOperationError: names the operation, the argument and its limit.
    """
    if len(pipeline) > MAX_OPERATIONS:
        raise BadOperationError(f"A pipeline can have at most {MAX_OPERATIONS} operations.")
    for operation in pipeline:
        for complaint in _complaints(operation):
            raise BadOperationError(f"{operation.op}: {complaint}.")


def _complaints(operation: Operation) -> Iterator[str]:
    hints = get_type_hints(type(operation), include_extras=True)
    for argument in fields(operation):  # type: ignore[arg-type]  # every operation is a dataclass
        value = getattr(operation, argument.name)
        if value is None and NoneType in get_args(hints[argument.name]):
            continue
        for complaint in _misfits(value, hints[argument.name]):
            yield f"{argument.name} {complaint}"
        for name, limit in argument.metadata.items():
            holds, sentence = _RULES.get(name, (None, ""))
            if holds and not holds(value, limit):
                yield f"{argument.name} {sentence.format(limit)}"


def _misfits(value: Any, hint: Any) -> Iterator[str]:
    """What is wrong with a value by its type, before its limits are looked at."""
    kind, inner = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        yield from _misfits(value, next(option for option in inner if option is not NoneType))
    elif kind is Literal:
        if value not in inner:
            yield f"has to be one of {', '.join(inner)}"
    elif kind is tuple:
        yield from _misfits_inside(value, inner)
    elif kind is Annotated:
        yield from _misfits(value, inner[0])
        limits: Range = inner[1]
        if not limits.ge <= value <= limits.le:
            yield f"has to be between {limits.ge:,} and {limits.le:,}"
    elif not isinstance(value, _KINDS[hint]) or (isinstance(value, bool) and hint is not bool):
        yield f"has to be {_NAMES[hint]}"
    elif isinstance(value, float) and not math.isfinite(value):
        yield "has to be a finite number"


def _misfits_inside(value: Any, inner: tuple[Any, ...]) -> Iterator[str]:
    if not isinstance(value, tuple):
        yield "has to be a list"
        return
    hints = (inner[0],) * len(value) if inner[-1] is Ellipsis else inner
    if len(value) != len(hints):
        yield f"has to have {len(hints)} numbers"
        return
    for item, hint in zip(value, hints, strict=True):
        yield from _misfits(item, hint)
