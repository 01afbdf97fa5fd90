"""What libraries log over and over although nothing has happened: shown at the log level ``debug`` only."""

import logging

from darkroom_contracts.messages import ROUTINE

_ROUTINE = {message.name for message in ROUTINE}


class RoutineFilter(logging.Filter):
    """Drops routine lines, unless they are to be shown, and calls no warning what is none.

    Args:
        show: whether to let them through.
    """

    def __init__(self, show: bool) -> None:
        super().__init__()
        self._show = show

    def filter(self, record: logging.LogRecord) -> bool:
        if _is_no_warning(record):
            record.levelno, record.levelname = logging.INFO, "INFO"
        return self._show or record.levelno != logging.INFO or not _is_routine(record)


def _is_no_warning(record: logging.LogRecord) -> bool:
    match record.name:
        case "celery.worker":  # that is how a worker is meant to stop
            return str(record.msg).startswith("Initiating Soft Shutdown")
        case "flower.inspector":  # Flower asks for workers before there are any, and again as soon as there are
            return str(record.msg).startswith("Inspect method")
        case _:
            return False


def _is_routine(record: logging.LogRecord) -> bool:
    match record.name:
        case "celery.worker.strategy":  # a task was received; what became of it is another line
            return True
        case "celery.app.trace":  # a task succeeded
            return isinstance(record.args, dict) and record.args.get("name") in _ROUTINE
        case "celery.beat" | "redbeat.schedulers":
            return str(record.msg).startswith("Scheduler: Sending due task")
        case _:
            return False
