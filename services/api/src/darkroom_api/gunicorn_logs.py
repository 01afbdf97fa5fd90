"""Gunicorn's own log lines, in the form of all others."""

import logging
from typing import Any

from gunicorn.glogging import Logger


class StructuredLogger(Logger):
    """Leaves the form of lines to the handlers of the process."""

    def setup(self, _cfg: Any) -> None:
        self.error_log.setLevel(logging.INFO)
        self.error_log.propagate = True
