"""How the time of an image is limited."""

import threading
import time

import pytest
from darkroom_worker.deadline import DeadlineError, deadline


def test_a_block_that_takes_too_long_is_interrupted() -> None:
    with pytest.raises(DeadlineError), deadline(0.01):
        threading.Event().wait(60)


def test_nothing_is_interrupted_after_the_block() -> None:
    with deadline(0.05):
        pass
    began = time.monotonic()
    threading.Event().wait(0.1)
    assert time.monotonic() - began >= 0.1
