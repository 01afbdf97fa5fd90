"""How the processes of a pool share out memory, with real processes that are killed for real."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event

import pytest
from darkroom_worker.memory_budget import BusyError, MemoryBudget
from support.waiting import wait_for

TOTAL = 100
LONG = 60.0

fork = multiprocessing.get_context("fork")


@pytest.fixture
def budget() -> MemoryBudget:
    """A hundred bytes."""
    return MemoryBudget(TOTAL)


class Holder:
    """A process that wants memory, and holds it until it is told to let go."""

    def __init__(self, budget: MemoryBudget, size: int) -> None:
        self.has: Event = fork.Event()
        self._let_go: Event = fork.Event()
        self.process: BaseProcess = fork.Process(target=self._hold, args=(budget, size))
        self.process.start()

    def _hold(self, budget: MemoryBudget, size: int) -> None:
        with budget.hold(size, seconds=LONG):
            self.has.set()
            self._let_go.wait(LONG)

    def let_go(self) -> None:
        self._let_go.set()
        self.process.join()

    def kill(self) -> None:
        assert self.process.pid
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()


@pytest.fixture
def hold(budget: MemoryBudget) -> Iterator[Callable[[int], Holder]]:
    """Starts a process that wants so many bytes."""
    holders: list[Holder] = []

    def start(size: int) -> Holder:
        holders.append(Holder(budget, size))
        return holders[-1]

    yield start
    for holder in holders:
        holder.process.kill()
        holder.process.join()


def await_waiting(budget: MemoryBudget, processes: int) -> None:
    wait_for(lambda: budget.waiting() == processes, limit=LONG, what="the process to wait")


def test_those_that_fit_together_hold_their_memory_at_the_same_time(
    budget: MemoryBudget, hold: Callable[[int], Holder]
) -> None:
    holders = [hold(30) for _ in range(3)]
    assert all(holder.has.wait(LONG) for holder in holders)
    assert (budget.held(), budget.waiting()) == (90, 0)


def test_whoever_asked_first_is_next_though_later_ones_would_fit(
    budget: MemoryBudget, hold: Callable[[int], Holder]
) -> None:
    first = hold(60)
    assert first.has.wait(LONG)
    large = hold(80)
    await_waiting(budget, 1)
    small = hold(10)
    await_waiting(budget, 2)
    assert budget.held() == 60
    first.let_go()
    assert large.has.wait(LONG)
    assert small.has.wait(LONG)
    assert budget.held() == 90


def test_whoever_needs_more_than_there_is_gets_all_of_it_alone(
    budget: MemoryBudget, hold: Callable[[int], Holder]
) -> None:
    small = hold(1)
    assert small.has.wait(LONG)
    huge = hold(1000 * TOTAL)
    await_waiting(budget, 1)
    small.let_go()
    assert huge.has.wait(LONG)
    assert budget.held() == TOTAL


def test_what_a_killed_process_held_or_waited_for_is_free_again(
    budget: MemoryBudget, hold: Callable[[int], Holder]
) -> None:
    holding = hold(TOTAL)
    assert holding.has.wait(LONG)
    waiting = hold(TOTAL)
    await_waiting(budget, 1)
    last = hold(20)
    await_waiting(budget, 2)
    waiting.kill()
    holding.kill()
    assert last.has.wait(LONG)
    assert (budget.held(), budget.waiting()) == (20, 0)


def test_memory_that_does_not_become_free_in_time_is_not_waited_for_any_longer(
    budget: MemoryBudget, hold: Callable[[int], Holder]
) -> None:
    assert hold(90).has.wait(LONG)
    with pytest.raises(BusyError), budget.hold(20, seconds=0.05):
        pass
    assert (budget.held(), budget.waiting()) == (90, 0)


def test_what_was_held_is_free_after_an_error(budget: MemoryBudget) -> None:
    with pytest.raises(ZeroDivisionError), budget.hold(20, seconds=0):
        raise ZeroDivisionError
    assert budget.held() == 0
