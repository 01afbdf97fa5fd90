"""What a process makes once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from darkroom_runtime.once import once


def test_threads_that_ask_at_once_get_the_same() -> None:
    others_ask = threading.Event()

    @once
    def thing() -> object:
        others_ask.wait(0.2)  # whoever else asks has reason to make another
        return object()

    with ThreadPoolExecutor(8) as threads:
        things = [thread.result() for thread in [threads.submit(thing) for _ in range(8)]]
    assert len(set(things)) == 1


def test_one_thing_may_be_made_of_another() -> None:
    @once
    def inner() -> list[str]:
        return ["inner"]

    @once
    def outer() -> list[list[str]]:
        return [inner()]

    assert outer()[0] is inner()


def test_what_could_not_be_made_is_tried_again() -> None:
    failures = [ConnectionError("Redis is away")]

    @once
    def thing() -> str:
        if failures:
            raise failures.pop()
        return "made"

    with pytest.raises(ConnectionError):
        thing()
    assert thing() == "made"
