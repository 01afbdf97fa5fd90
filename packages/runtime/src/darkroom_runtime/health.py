"""What a container's health check asks: ``python -m darkroom_runtime.health``.

It pings the worker of this container over the broker, so that the answer comes from its own consumer and from no other.
"""

import argparse
import sys

from kombu.exceptions import OperationalError

from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.settings import Settings, load


def worker_answers(node: str, *, patience: float) -> bool:
    """Whether the Celery node of this very name answers a ping within so many seconds."""
    app = make_celery("health", publisher(load(Settings)))
    try:
        replies = app.control.ping(destination=[node], timeout=patience, limit=1)
    except OperationalError:
        return False
    return any(node in reply for reply in replies or [])


def main() -> None:
    """Exit 0 if the node answers, 1 and a sentence if it does not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("node", help="the Celery node name, such as images@0a1b2c")
    node = parser.parse_args().node
    if not worker_answers(node, patience=5.0):
        sys.exit(f"{node} does not answer.")


if __name__ == "__main__":
    main()
