"""Memory that several processes share."""

import os
from collections.abc import Callable

import pytest
from darkroom_api.serving.budget import Budget

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # of tests with threads; this one has none
PATIENCE = 30.0


def shared(limit: int) -> Budget:
    return Budget(limit, processes=4, patience=PATIENCE)


def elsewhere(action: Callable[[], bool]) -> tuple[int, bool]:
    """Do this in a process that ends at once; its id, and the outcome."""
    process = os.fork()
    if not process:
        os._exit(int(action()))
    return process, bool(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def test_what_one_process_has_taken_the_others_cannot_have() -> None:
    budget = shared(100)
    assert budget.take(60, 1.0, 1.0)
    assert elsewhere(lambda: budget.take(60, 2.0, 2.0))[1] is False
    budget.give_back(60)
    budget.stop_waiting()
    assert elsewhere(lambda: budget.take(60, 2.0, 40.0))[1] is True


def test_what_a_process_had_is_there_again_once_it_has_ended() -> None:
    budget = shared(100)
    process, taken = elsewhere(lambda: budget.take(100, 1.0, 1.0))
    assert taken
    assert not budget.take(1, 2.0, 2.0)
    budget.forget(process)
    assert budget.take(100, 2.0, 2.0)


def test_who_has_waited_longest_is_next_whichever_process_it_is_in() -> None:
    budget = shared(100)
    assert budget.take(100, 1.0, 1.0)
    process, taken = elsewhere(lambda: budget.take(50, 2.0, 2.0))
    assert not taken
    budget.give_back(100)
    assert not budget.take(50, 3.0, 3.0)
    budget.forget(process)
    assert budget.take(50, 3.0, 3.0)


def test_a_process_that_waits_for_longer_than_anybody_may_holds_up_nobody() -> None:
    budget = shared(100)
    assert budget.take(100, 1.0, 1.0)
    elsewhere(lambda: budget.take(50, 2.0, 2.0))
    budget.give_back(100)
    assert budget.take(50, 3.0, 3.0 + PATIENCE)


def test_more_than_all_there_is_goes_to_who_is_alone() -> None:
    budget = shared(100)
    assert budget.take(1, 1.0, 1.0)
    assert not budget.take(500, 2.0, 2.0)
    budget.give_back(1)
    assert budget.take(500, 2.0, 2.0)


def test_there_are_places_for_any_number_of_processes_one_after_the_other() -> None:
    budget = shared(100)
    for _ in range(10):
        process, taken = elsewhere(lambda: budget.take(100, 1.0, 1.0))
        assert taken
        budget.forget(process)
