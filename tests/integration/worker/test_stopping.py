"""How long a worker that is told to end waits for its processes: as long as one is at work."""

import time
from types import SimpleNamespace
from typing import cast

import pytest
from billiard.context import ForkContext
from celery import Celery, signals
from celery.worker import state
from darkroom_worker.stopping import StoppableWorker, install_stopping

LIMIT = 20
FORK = ForkContext()


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> StoppableWorker:
    """One that believes that a task runs, as it hears nothing of its processes while it waits."""
    install_stopping(Celery("worker", set_as_current=False))
    monkeypatch.setattr(state, "active_requests", {"a task"})
    conf = SimpleNamespace(worker_soft_shutdown_timeout=LIMIT)
    return cast("StoppableWorker", SimpleNamespace(app=SimpleNamespace(conf=conf)))


def test_until_its_process_has_done_its_task_and_not_until_the_limit(worker: StoppableWorker) -> None:
    began, may_end = FORK.Event(), FORK.Event()

    def work() -> None:
        signals.task_prerun.send(None)
        began.set()
        may_end.wait(0.5)
        signals.task_postrun.send(None)

    process = FORK.Process(target=work)
    process.start()
    began.wait(LIMIT)
    started = time.monotonic()
    StoppableWorker.wait_for_soft_shutdown(worker)
    waited = time.monotonic() - started
    process.join()
    assert 0.1 < waited < LIMIT


def test_not_at_all_for_a_process_that_has_taken_the_place_of_one_that_died_at_work(worker: StoppableWorker) -> None:
    for signal in (signals.task_prerun, signals.worker_process_init):
        process = FORK.Process(target=signal.send, args=(None,))
        process.start()
        process.join()
    started = time.monotonic()
    StoppableWorker.wait_for_soft_shutdown(worker)
    assert time.monotonic() - started < LIMIT
