"""Hold operations against the limits that the contracts state for their arguments."""

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from darkroom_contracts.operations import MAX_OPERATIONS, Operation

from darkroom_imaging.errors import BadOperationError

_RULES: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = MappingProxyType(
    {
        "gt": (operator.gt, "has to be more than {}"),
        "ge": (operator.ge, "has to be at least {}"),
        "lt": (operator.lt, "has to be less than {}"),
        "le": (operator.le, "can be at most {}"),
        "min_length": (lambda value, length: len(value) >= length, "has to have at least {} of them"),
        "max_length": (lambda value, length: len(value) <= length, "can have at most {} of them"),
        "pattern": (lambda value, pattern: re.search(pattern, value) is not None, "has to match {}"),
    }
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
    hints = get_type_hints(type(operation))
    for argument in fields(operation):  # type: ignore[arg-type]  # every operation is a dataclass
        value = getattr(operation, argument.name)
        if value is None:
            continue
        if not all(math.isfinite(number) for number in _numbers(value)):
            yield f"{argument.name} has to be a finite number"
        choices = _choices(hints[argument.name])
        if choices and value not in choices:
            yield f"{argument.name} has to be one of {', '.join(choices)}"
        for name, limit in argument.metadata.items():
            holds, sentence = _RULES.get(name, (None, ""))
            if holds and not holds(value, limit):
                yield f"{argument.name} {sentence.format(limit)}"


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _numbers(item)


def _choices(hint: Any) -> tuple[str, ...]:
    return get_args(hint) if get_origin(hint) is Literal else ()
