"""When a worker counts as stuck, and when it does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from darkroom_runtime import progress
from darkroom_runtime.progress import Judge, LoopWatch, Sight, Stage, Verdict, Work

PATIENCE = 25.0
INTERVAL = 5.0
LIMIT = 120.0


class Message:
    """Stands for a message that a worker holds."""


def sight(
    *, taken: int = 0, room: int = 1, waiting: tuple[str, ...] = (), work: Mapping[Any, Work] | None = None
) -> Sight:
    return Sight(taken, room, waiting, work or {})


def held(stage: Stage, limit: float | None = LIMIT) -> Work:
    return Work("The task images.process (one)", stage, limit)


class Watched:
    """A judge who looks every five seconds by a clock of the test's own."""

    def __init__(self, start: float = 1000.0) -> None:
        self.judge = Judge(PATIENCE, INTERVAL, start)
        self.clock = start

    def look(self, seen: Sight, after: float = INTERVAL) -> Verdict | None:
        self.clock += after
        return self.judge.look(seen, self.clock)

    def look_for(self, seconds: float, seen: Sight) -> Verdict | None:
        """What it finds within these seconds, in which nothing changes."""
        for _ in range(int(seconds / INTERVAL)):
            if verdict := self.look(seen):
                return verdict
        return None


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_worker_is_stuck_that_takes_nothing_while_messages_wait_and_it_has_room(watched: Watched) -> None:
    deaf = sight(waiting=("images",))
    assert watched.look_for(PATIENCE, deaf) is None
    verdict = watched.look_for(2 * INTERVAL, deaf)
    assert verdict
    assert verdict.trouble == (
        "No message has been taken for 25 s, although some wait in the queue images and there is room for 1 more."
    )


def test_an_idle_worker_is_not_stuck(watched: Watched) -> None:
    assert watched.look_for(10 * PATIENCE, sight()) is None


def test_a_worker_without_room_is_not_stuck_however_long_the_queue(watched: Watched) -> None:
    assert watched.look_for(10 * PATIENCE, sight(room=0, waiting=("images",))) is None


def test_a_worker_that_takes_messages_is_not_stuck_however_long_the_queue(watched: Watched) -> None:
    assert not any(watched.look(sight(taken=taken, waiting=("images",))) for taken in range(50))


def test_others_may_take_everything_before_it_does(watched: Watched) -> None:
    # Now and then a message is just on its way to another worker.
    assert not any(watched.look(sight(waiting=("images",) if turn % 4 else ())) for turn in range(50))


def test_nobody_is_judged_while_it_is_not_known_what_waits(watched: Watched) -> None:
    deaf = sight(waiting=("images",))
    assert watched.look_for(PATIENCE, deaf) is None
    assert watched.look(sight()) is None
    assert watched.look_for(PATIENCE, deaf) is None


def test_a_process_that_was_stopped_for_an_hour_is_not_blamed_for_it(watched: Watched) -> None:
    deaf, message = sight(waiting=("images",)), Message()
    running = sight(work={message: held(Stage.BEGUN)})
    assert watched.look(deaf) is None
    assert watched.look(deaf, after=3600) is None
    assert watched.look(running) is None
    assert watched.look(running, after=3600) is None


def test_a_message_that_is_not_begun_although_there_is_room_is_stuck(watched: Watched) -> None:
    message = Message()
    lost = sight(room=0, work={message: held(Stage.NOT_BEGUN)})
    assert watched.look_for(PATIENCE, lost) is None
    verdict = watched.look_for(2 * INTERVAL, lost)
    assert verdict
    assert verdict.stuck is message
    assert verdict.trouble == ("The task images.process (one) has not begun for 25 s, although there is room for it.")


def test_a_message_behind_others_may_wait_for_as_long_as_they_take(watched: Watched) -> None:
    assert watched.look_for(20 * PATIENCE, sight(room=0, work={Message(): held(Stage.BEHIND_OTHERS)})) is None


def test_a_message_may_wait_for_room_again_and_again(watched: Watched) -> None:
    message = Message()
    stages = [Stage.BEHIND_OTHERS, Stage.NOT_BEGUN, Stage.NOT_BEGUN, Stage.NOT_BEGUN]
    assert not any(watched.look(sight(work={message: held(stages[turn % 4])})) for turn in range(80))


def test_a_task_that_runs_for_longer_than_its_limit_is_stuck(watched: Watched) -> None:
    message = Message()
    running = sight(room=0, work={message: held(Stage.BEGUN)})
    assert watched.look_for(LIMIT + PATIENCE, running) is None
    verdict = watched.look_for(2 * INTERVAL, running)
    assert verdict
    assert verdict.stuck is message
    assert verdict.trouble == "The task images.process (one) has been running for 145 s; its limit is 120 s."


def test_a_task_without_a_limit_may_run_for_ever(watched: Watched) -> None:
    assert watched.look_for(100 * LIMIT, sight(work={Message(): held(Stage.BEGUN, limit=None)})) is None


def test_one_task_after_another_is_not_one_that_runs_for_long(watched: Watched) -> None:
    # Python gives a new object the place of one that is gone.
    for taken in count():
        assert watched.look(sight(taken=taken, room=0, work={Message(): held(Stage.BEGUN)})) is None
        if watched.clock > 1000 + 10 * LIMIT:
            break


def test_a_task_is_found_stuck_among_others_that_get_on(watched: Watched) -> None:
    stuck = Message()
    verdicts = [
        watched.look(sight(taken=turn, work={Message(): held(Stage.BEGUN), stuck: held(Stage.BEGUN)}))
        for turn in range(40)
    ]
    assert {verdict.stuck for verdict in verdicts if verdict} == {stuck}


@dataclass
class Thread:
    """Stands for the thread that watches a worker."""

    looks: int = 0
    is_stopped: bool = False
    ended_for: list[str] = field(default_factory=list)

    def end(self, verdict: Verdict) -> None:
        self.ended_for.append(verdict.trouble)


def test_the_loop_ends_the_process_where_the_thread_that_watches_it_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    thread, loop = Thread(), LoopWatch(patience=3)
    monkeypatch.setattr(progress, "_watch", thread)
    for thread.looks in (1, 1, 1, 2, 2, 3):  # now and then it is late
        loop.look()
    assert thread.ended_for == []
    for _ in range(3):
        loop.look()
    assert thread.ended_for == ["The thread that judges whether this worker gets on stands still."]


def test_the_loop_watches_nobody_once_the_worker_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    thread, loop = Thread(is_stopped=True), LoopWatch(patience=1)
    monkeypatch.setattr(progress, "_watch", thread)
    for _ in range(3):
        loop.look()
    assert thread.ended_for == []


def test_the_loop_watches_nobody_before_the_worker_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_watch", None)
    LoopWatch(patience=0).look()
