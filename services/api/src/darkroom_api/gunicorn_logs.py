"""Gunicorn's own log lines, in the form of all others."""

import logging
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # it ships no types


class StructuredLogger(Logger):  # type: ignore[misc]  # for the same reason
    """Leaves the form of lines to the handlers of the process."""

    def setup(self, _cfg: Any) -> None:
        self.error_log.setLevel(logging.INFO)
        self.error_log.propagate = True
