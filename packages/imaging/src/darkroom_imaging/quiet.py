"""Keep Pillow's warnings to itself."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Drop what is warned of inside: a stranger's file is not to fill the log.

    Python keeps its filters of warnings for the whole process, so images are not to be opened by several threads.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
