"""Supervisor, living no longer than whoever started it: ``python -m darkroom_local.lifeline supervisord.conf``.

Its standard input is a pipe whose other end its parent holds and never writes to. When the parent is gone, however it
went, the pipe ends, and supervisor stops everything as if asked to.
"""

import os
import signal
import sys
import threading

from supervisor.supervisord import main as supervise  # type: ignore[import-untyped]  # it has no types


def _stop_when_the_parent_is_gone() -> None:
    try:
        os.read(0, 1)
    finally:  # an input that cannot be read is no lifeline, either
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def main() -> None:
    """Supervise as the configuration says until asked to stop."""
    threading.Thread(target=_stop_when_the_parent_is_gone, daemon=True).start()
    supervise(["--nodaemon", "--silent", "--configuration", sys.argv[1]])


if __name__ == "__main__":
    main()
