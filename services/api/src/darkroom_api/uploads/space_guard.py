"""Refusing what would be stored while the disk is low on space."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from darkroom_contracts.problems import ProblemCode

from darkroom_api.http.problems import Problem
from darkroom_api.services import services

Args = ParamSpec("Args")
Answer = TypeVar("Answer")


def needs_disk_space(view: Callable[Args, Answer]) -> Callable[Args, Answer]:
    """Refuse a view's requests with 507 while the disk is low on space, before their bodies are read."""

    @wraps(view)
    def guarded(*args: Args.args, **kwargs: Args.kwargs) -> Answer:
        if services().disk.measure().is_low:
            raise Problem(
                507,
                "The image storage is nearly full. Nothing was kept; please retry later.",
                code=ProblemCode.STORAGE_FULL,
                headers={"Retry-After": "60"},
            )
        return view(*args, **kwargs)

    return guarded
