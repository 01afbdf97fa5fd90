"""Things that a process makes once, however many of its threads ask for them at the same moment."""

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import TypeVar

Made = TypeVar("Made")


def once(make: Callable[[], Made]) -> Callable[[], Made]:
    """Call a function the first time it is asked for, and give what it made ever after.

    ``functools.cache`` calls it for each of several threads that come at once, so that a limit they share would count
    twice (https://docs.python.org/3/library/functools.html#functools.cache).

    Whatever the function raises is passed on, and the next caller tries again.
    """
    lock = Lock()
    made: list[Made] = []

    @wraps(make)
    def get() -> Made:
        if not made:
            with lock:
                if not made:
                    made.append(make())
        return made[0]

    return get
