"""Random sequences of every step of the group store, by many workers and clients, on a real Redis.

Each step is one atomic script, so whatever several callers do at the same time is one of these sequences. The test
tries the same few each time; `make explore` tries many others.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, cast

import pytest
from darkroom_contracts.mail import Address
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import ImageState, WebhookState
from darkroom_records import webhooks
from darkroom_records.groups import (
    MAX_ATTEMPTS,
    EarlierRequest,
    Ending,
    Fetch,
    GroupEndedError,
    GroupRunningError,
    GroupStore,
    IdempotencyKey,
    NewImage,
    Outcome,
    RepeatedRequestError,
    Terms,
    Turns,
    Work,
)
from darkroom_records.webhooks import Delivery, NoWebhookError, WebhookStore
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings
from darkroom_runtime.workers import heartbeat_key
from hypothesis import Phase, settings, strategies
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis
from redis.exceptions import ResponseError
from support.group_model import Held, InQueue, Model, ModelGroup, ModelImage
from support.redis_keys import contents, group_sets, lasting_keys, make_webhooks_due, set_window

T = TypeVar("T")

WORKERS = ("images@a/1", "images@b/1", "images@c/1")
MOST_GROUPS = 3
WINDOW = 2
ROUNDS = 3 * MAX_ATTEMPTS
LONG = 1e6
RESULT = Outcome(format="png", width=2, height=2, bytes=70, sha256="ab" * 32)
EXAMPLES = int(os.environ.get("EXAMPLES", 0))
ALWAYS_THE_SAME = settings(
    max_examples=20,
    stateful_step_count=50,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # what `make explore` finds is made short; that takes minutes
)
EXPLORE = settings(max_examples=EXAMPLES or 1, stateful_step_count=80, deadline=None, print_blob=True)
FORWARD = {
    ImageState.QUEUED: set(ImageState),
    ImageState.PROCESSING: set(ImageState),  # back to the queue where it is released or fetched
    ImageState.FAILED: {ImageState.FAILED},
    ImageState.SUCCEEDED: {ImageState.SUCCEEDED},
    ImageState.CANCELLED: {ImageState.CANCELLED},
    ImageState.EXPIRED: {ImageState.EXPIRED},
}

picks = strategies.integers(0, 999)
some = strategies.booleans()


def pick(choices: Sequence[T], number: int) -> T:
    return choices[number % len(choices)]


class Calls:
    """Sends scripts to Redis, and remembers how they were sent and what was answered."""

    def __init__(self, redis: Redis) -> None:
        self._send = redis.evalsha
        self.sent: list[tuple[tuple[Any, ...], Any]] = []

    def __call__(self, *arguments: Any) -> Any:
        answer = self._send(*arguments)
        self.sent.append((arguments, answer))
        return answer

    def again(self, number: int) -> tuple[Any, Any]:
        """Send one of the last calls once more, just as it was. Gives the first answer, and this one."""
        arguments, answer = pick(self.sent[-20:], number)
        return answer, self._send(*arguments)

    def late(self, number: int) -> None:
        """Let one of the last calls come for the first time after its caller has given up."""
        (sha, count, *rest), _ = pick(self.sent[-20:], number)
        rest[int(count) - 1] = "darkroom:answer:late"
        rest[-2] = "1.0"
        with pytest.raises(ResponseError, match="TOOLATE"):
            self._send(sha, count, *rest)


def head(answer: Any) -> Any:
    """What of an answer is kept for those who ask again; the rest is read anew."""
    return str(answer[0]) if isinstance(answer, list) else answer


class Interleavings(RuleBasedStateMachine):
    """Every step of the store in any order, compared with the model after each."""

    def __init__(self, redis: Redis, calls: Calls, groups: GroupStore, webhooks: WebhookStore) -> None:
        super().__init__()
        self.redis, self.calls, self.groups, self.webhooks = redis, calls, groups, webhooks
        self.model = Model()
        self.seen: dict[tuple[str, int], tuple[int, ImageState]] = {}
        self.deliveries: list[tuple[str, Delivery]] = []
        self.keys: dict[str, str] = {}
        self.number = 0

    @initialize()
    def begin_with_nothing(self) -> None:
        self.redis.flushdb()
        self.calls.sent.clear()
        set_window(self.redis, WINDOW)
        for worker in WORKERS[:2]:
            self.redis.set(heartbeat_key(worker), "alive")

    # What clients do.

    @precondition(lambda self: len(self.model.groups) < MOST_GROUPS)
    @rule(
        kinds=strategies.lists(strategies.sampled_from(["file", "file", "url", "refused"]), min_size=1, max_size=4),
        owner=strategies.sampled_from([None, "ada", "bob"]),
        deadline=strategies.sampled_from([None, None, 1.0, 4e9]),
        keep_for=strategies.sampled_from([None, 0, 60]),
        notify=some,
        webhook=strategies.sampled_from(["", "group", "images"]),
        confirmed=some,
        key=strategies.sampled_from([None, None, "one", "two"]),
        are_lost=some,
    )
    def create(
        self,
        kinds: list[str],
        owner: str | None,
        deadline: float | None,
        keep_for: int | None,
        notify: bool,
        webhook: str,
        confirmed: bool,
        key: str | None,
        are_lost: bool,
    ) -> None:
        self.number += 1
        group_id = f"{self.number:032x}"
        group = ModelGroup(
            group_id, owner, deadline, keep_for, notify, bool(webhook), webhook == "images", confirmed=False
        )
        images = []
        for index, kind in enumerate(kinds):
            refused = kind == "refused"
            state = ImageState.FAILED if refused else ImageState.QUEUED
            group.images.append(ModelImage(group, index, state, refused, to_fetch=kind == "url"))
            url = f"https://example.org/{index}" if kind == "url" else None
            images.append(NewImage(f"{index}.png", url=url, error="Damaged." if refused else None))
        terms = Terms(
            email=Address("ada@example.org"),
            notify=notify,
            owner=owner,
            deadline=deadline,
            keep_for=keep_for,
            webhook_url="https://example.org/hook" if webhook else None,
            webhook_images=webhook == "images",
        )
        earlier: EarlierRequest | None = None
        stands_for = self.keys.get(key or "")
        idempotency = IdempotencyKey("client", key, "the same") if key else None
        try:
            self.groups.create(group_id, images, (), terms, confirmed=False, idempotency=idempotency)
        except RepeatedRequestError as repeated:
            earlier = repeated.earlier
        if earlier:
            assert stands_for in self.model.groups, "a key of no group was taken"
            assert earlier.group_id == stands_for
            return
        assert stands_for not in self.model.groups, "one key made two groups"
        if key:
            self.keys[key] = group_id
        self.model.groups[group_id] = group
        if confirmed:
            self._confirm(group, are_lost=are_lost)

    @precondition(lambda self: self.unconfirmed)
    @rule(number=picks, are_lost=some)
    def confirm(self, number: int, are_lost: bool) -> None:
        self._confirm(pick(self.unconfirmed, number), are_lost=are_lost)

    @precondition(lambda self: self.model.groups)
    @rule(number=picks)
    def abandon(self, number: int) -> None:
        group = self._any_group(number)
        assert self.groups.abandon(group.group_id, patience=-1) is not group.confirmed
        if not group.confirmed:
            self.model.forget(group.group_id)

    @precondition(lambda self: self.model.groups)
    @rule(number=picks, at_deadline=some)
    def cut_off(self, number: int, at_deadline: bool) -> None:
        group = self._any_group(number)
        if not group.confirmed:  # its id is not known to anybody yet
            return
        if at_deadline:
            cancelled = self.groups.end_at_deadline(group.group_id)
            may_end = not group.has_ended and group.deadline is not None and group.deadline < time.time()
            assert bool(cancelled) is may_end
        else:
            try:
                cancelled = self.groups.cancel(group.group_id)
            except GroupEndedError:
                cancelled = None
            assert bool(cancelled) is not group.has_ended
        if cancelled is None:
            return
        counts = group.counts
        assert (cancelled.finished, cancelled.never_started) == (counts.finished, counts.queued)
        assert list(cancelled.aborted) == [i.index for i in group.images if i.state is ImageState.PROCESSING]
        for image in group.images:
            if image.is_open:
                self.model.end(image, ImageState.EXPIRED if at_deadline else ImageState.CANCELLED)
        self.model.end_if_done(group)
        self._check_ending(group, cancelled.ending)
        self._take_turns(cancelled.turns)

    @precondition(lambda self: self.model.groups)
    @rule(number=picks, are_lost=some)
    def retry(self, number: int, are_lost: bool) -> None:
        group = self._any_group(number)
        try:
            again = self.groups.retry(group.group_id)
        except GroupRunningError:
            assert not group.has_ended
            return
        assert group.has_ended
        failed = [image for image in group.images if image.state is ImageState.FAILED and not image.refused]
        assert list(again.indices) == [image.index for image in failed if not image.to_fetch]
        assert list(again.to_fetch) == [image.index for image in failed if image.to_fetch]
        if not failed:
            return
        group.run += 1
        group.deadline = None
        for image in failed:
            self.model.let_wait(image)
            self.seen.pop((group.group_id, image.index))
            image.waits = not image.to_fetch
            if image.to_fetch and not are_lost:
                self.model.queue.append(InQueue(image, True, again.published_at))
        self._take_turns(again.turns, are_lost=are_lost)

    @precondition(lambda self: self.model.groups)
    @rule(number=picks)
    def delete(self, number: int) -> None:
        group = self._any_group(number)
        assert self.groups.delete(group.group_id) is not None
        self.model.forget(group.group_id)

    @precondition(lambda self: self.model.groups)
    @rule(number=picks)
    def expire(self, number: int) -> None:
        group = self._any_group(number)
        may_expire = group.has_ended and not group.keep_for
        assert self.groups.expire(group.group_id, now=time.time() + 1, keep_for=0) is may_expire
        if may_expire:
            self.model.forget(group.group_id)

    @precondition(lambda self: self.model.deleted)
    @rule(number=picks)
    def delete_blobs(self, number: int) -> None:
        group_id = pick(self.model.deleted, number)
        self.groups.blobs_deleted(group_id)
        assert group_id not in self.groups.erased()

    # What workers do.

    @precondition(lambda self: self.model.queue)
    @rule(
        number=picks,
        worker=strategies.sampled_from(WORKERS),
        stays=some,
        second=strategies.sampled_from([None, *WORKERS]),
    )
    def deliver(self, number: int, worker: str, stays: bool, second: str | None) -> None:
        """A message reaches a worker, and may come a second time, now or later."""
        message = pick(self.model.queue, number)
        if not stays:
            self.model.queue.remove(message)
        for taker in (worker, second):
            if taker:
                self.redis.set(heartbeat_key(taker), "alive")
                self._begin(message, taker)

    @precondition(lambda self: self.model.held)
    @rule(number=picks, is_well=some, are_lost=some)
    def end(self, number: int, is_well: bool, are_lost: bool) -> None:
        """An attempt comes to its end, also one that counts as lost: its worker was only slow."""
        held = self._let_go(number)
        image, counts = held.image, held.image.owner is held
        if isinstance(held.work, Fetch):
            ending = self.groups.fail_fetch(held.work, "Gone.", ProblemCode.FETCH_FAILED)
            state = ImageState.FAILED
        elif is_well:
            ending, state = self.groups.succeed(held.work, RESULT), ImageState.SUCCEEDED
        else:
            ending = self.groups.fail(held.work, "Damaged.", ProblemCode.DAMAGED_IMAGE)
            state = ImageState.FAILED
        assert bool(ending) is counts, "an attempt ends its image if it is the latest one, and only then"
        if counts:
            self.model.end(image, state)
            self.model.end_if_done(image.group)
            self._check_ending(image.group, ending.effects)
            self._take_turns(ending.turns, are_lost=are_lost)

    @precondition(lambda self: self.model.held)
    @rule(number=picks, are_lost=some)
    def give_up(self, number: int, are_lost: bool) -> None:
        """A worker kills the process that took too long for an image."""
        held = self._let_go(number)
        if isinstance(held.work, Fetch):
            return
        image, counts = held.image, held.image.owner is held and not held.is_lost
        newer = image.owner
        if newer is not None and newer is not held and newer.worker == held.worker:
            return  # the same worker has begun it anew, and tells its own processes apart
        ending = self.groups.give_up(
            held.work.group_id,
            held.work.index,
            worker=held.worker,
            error="Too long.",
            code=ProblemCode.TIME_LIMIT_EXCEEDED,
        )
        assert bool(ending) is counts
        if counts:
            self.model.end(image, ImageState.FAILED)
            self.model.end_if_done(image.group)
            self._check_ending(image.group, ending.effects)
            self._take_turns(ending.turns, are_lost=are_lost)

    @precondition(lambda self: self.model.held)
    @rule(number=picks, is_lost=some)
    def release(self, number: int, is_lost: bool) -> None:
        held = self._let_go(number)
        counts = held.image.owner is held
        assert self.groups.release(held.work, seconds=0) is counts
        if counts:
            self.model.let_wait(held.image)
            if not is_lost:
                self.model.queue.append(InQueue(held.image, held.image.to_fetch, time.time()))

    @precondition(lambda self: any(isinstance(held.work, Fetch) for held in self.model.held))
    @rule(number=picks, is_lost=some)
    def fetched(self, number: int, is_lost: bool) -> None:
        held = pick([held for held in self.model.held if isinstance(held.work, Fetch)], number)
        self.model.held.remove(held)
        assert isinstance(held.work, Fetch)
        counts = held.image.owner is held
        turns = self.groups.fetched(held.work)
        assert (turns is not None) is counts
        if turns is not None:
            held.image.to_fetch, held.image.waits = False, True
            self.model.let_wait(held.image)
            self._take_turns(turns, are_lost=is_lost)

    @precondition(lambda self: self.model.held)
    @rule(number=picks)
    def lose_process(self, number: int) -> None:
        """The process of an attempt dies, and Celery sends its message again under the next number."""
        held = self._let_go(number)
        self.model.queue.append(
            InQueue(held.image, isinstance(held.work, Fetch), time.time(), delivery=held.delivery + 1)
        )

    @rule(worker=strategies.sampled_from(WORKERS), is_dead=some)
    def lose_worker(self, worker: str, is_dead: bool) -> None:
        """A worker's heartbeat stops, for it is dead, or cut off and still busy."""
        self.redis.delete(heartbeat_key(worker))
        if is_dead:
            self.model.held = [held for held in self.model.held if held.worker != worker]

    @precondition(lambda self: self.model.held)
    @rule(number=picks, worker=strategies.sampled_from(WORKERS), is_well=some)
    def cut_off_worker(self, number: int, worker: str, is_well: bool) -> None:
        """A worker is cut off, another one begins its image, and then the first one comes to its end."""
        held = pick(self.model.held, number)
        self.redis.delete(heartbeat_key(held.worker))
        if worker != held.worker:
            message = InQueue(held.image, isinstance(held.work, Fetch), time.time(), held.delivery)
            self.redis.set(heartbeat_key(worker), "alive")
            self._begin(message, worker)
            self.end(self.model.held.index(held), is_well=is_well, are_lost=False)

    @precondition(lambda self: self.model.queue)
    @rule(number=picks)
    def lose_message(self, number: int) -> None:
        self.model.queue.remove(pick(self.model.queue, number))

    # What maintenance does.

    @rule(are_lost=some)
    def recover(self, are_lost: bool) -> None:
        """What no message and no living worker will come for is sent again, and nothing else is."""
        waiting = {to_fetch: self._waiting(to_fetch=to_fetch) for to_fetch in (False, True)}
        given = set()
        for found in self.groups.take_lost_images(
            oldest_waiting=min(waiting[False], default=time.time()),
            oldest_fetch=min(waiting[True], default=time.time()),
            grace=0,
            max_hold=LONG,
        ):
            for to_fetch, indices in ((False, found.indices), (True, found.to_fetch)):
                for index in indices:
                    image = self.model.groups[found.group_id].images[index]
                    given.add(image)
                    assert image.is_open
                    assert image.to_fetch is to_fetch
                    assert not self._has_living_owner(image), "taken from a living worker"
                    if image.owner:
                        image.owner.is_lost = True
                    else:
                        assert image not in [m.image for m in self.model.queue if m.to_fetch is to_fetch]
                    if not are_lost:
                        self.model.queue.append(InQueue(image, to_fetch, found.published_at))
            self._take_turns(found.turns, are_lost=are_lost)
            given.update(self.model.groups[turn.group_id].images[turn.index] for turn in found.turns.images)
        for image in self.model.images:
            if image.waits and image.group.confirmed:
                assert len(self.model.placed(image.group)) == WINDOW, f"image {image.index} waits without need"
            elif image.group.confirmed and image.is_open and image not in given and not waiting[image.to_fetch]:
                assert self._has_living_owner(image), f"image {image.index} is left behind"

    # Webhooks.

    @precondition(lambda self: self.model.groups)
    @rule(number=picks, index=strategies.integers(-1, 3), worker=strategies.sampled_from(WORKERS))
    def claim_webhook(self, number: int, index: int, worker: str) -> None:
        group = self._any_group(number)
        self.redis.set(heartbeat_key(worker), "alive")
        for taker in (worker, *WORKERS[:1]):  # its message comes twice
            self.redis.set(heartbeat_key(taker), "alive")
            self._claim(group, taker, run=group.run if index >= 0 else -1, index=index)

    @precondition(lambda self: self.deliveries)
    @rule(number=picks, state=strategies.sampled_from(list(WebhookState)[:1] + list(WebhookState)[2:]))
    def settle_webhook(self, number: int, state: WebhookState) -> None:
        _, delivery = self.deliveries.pop(number % len(self.deliveries))
        later = [other.claim for _, other in self.deliveries if other.webhook_id == delivery.webhook_id]
        accepted = self.webhooks.settle(delivery, webhooks.Result(state))
        group = self.model.groups.get(delivery.group_id)
        assert not accepted or (group and delivery.claim >= max(later, default=0)), "settled by whom it was taken from"
        if accepted and group:
            if state is not WebhookState.PENDING:
                group.owed.discard(delivery.name)
            if state is WebhookState.DISABLED:
                group.owed.clear()
                group.webhooks_off = True

    @precondition(lambda self: self.model.groups)
    @rule(number=picks)
    def resend_webhook(self, number: int) -> None:
        group = self._any_group(number)
        try:
            self.webhooks.resend(group.group_id)
        except GroupRunningError:
            assert not group.has_ended
        except NoWebhookError:
            assert not group.webhook
        else:
            assert group.has_ended
            group.webhooks_off = False
            group.owe(str(group.run))

    @precondition(lambda self: any(group.to_notify for group in self.model.groups.values()))
    @rule(number=picks)
    def finish_notification(self, number: int) -> None:
        group = pick([group for group in self.model.groups.values() if group.to_notify], number)
        finished_at = self.groups.read(group.group_id, images=False).finished_at
        assert not self.groups.finish_notification(group.group_id, finished_at=(finished_at or 0) + 1)
        assert self.groups.finish_notification(group.group_id, finished_at=finished_at)
        group.to_notify = False

    # What the network does.

    @precondition(lambda self: self.calls.sent)
    @rule(number=picks)
    def send_again(self, number: int) -> None:
        """The answer of a step was lost, and the step is sent again after others have come in between."""
        before = contents(self.redis)
        first, again = self.calls.again(number)
        assert contents(self.redis) == before, "a step was done twice"
        assert not again or head(again) == head(first)

    @precondition(lambda self: self.calls.sent)
    @rule(number=picks)
    def come_late(self, number: int) -> None:
        """A step comes after its caller has given up, out of the buffers of a network that was cut off."""
        before = contents(self.redis)
        self.calls.late(number)
        assert contents(self.redis) == before, "a step was done that its caller had given up"

    # What must hold at every moment.

    @invariant()
    def the_record_is_the_models(self) -> None:
        for group in self.model.groups.values():
            record = self.groups.read(group.group_id)
            states = [image.state for image in record.images]
            assert states == [image.state for image in group.images]
            assert record.counts == group.counts
            for image in record.images:
                version, state = self.seen.get((group.group_id, image.index), (0, image.state))
                assert image.state in FORWARD[state], f"{state} became {image.state}"
                assert image.state is state or record.version > version, "changed, and nobody was told"
                self.seen[group.group_id, image.index] = record.version, image.state

    @invariant()
    def every_group_is_where_it_is_looked_for(self) -> None:
        known = list(self.model.groups.values())
        expected = {
            "running": {g.group_id for g in known if g.confirmed and not g.has_ended},
            "ended": {g.group_id for g in known if g.has_ended and g.keep_for is None},
            "expiring": {g.group_id for g in known if g.has_ended and g.keep_for is not None},
            "unfinished": {g.group_id for g in known if not g.confirmed},
            "deadlines": {g.group_id for g in known if g.confirmed and not g.has_ended and g.deadline is not None},
            "to_announce": {g.group_id for g in known if g.to_notify},
            "of:ada": {g.group_id for g in known if g.confirmed and g.owner == "ada"},
            "of:bob": {g.group_id for g in known if g.confirmed and g.owner == "bob"},
        }
        assert group_sets(self.redis, expected) == expected

    @invariant()
    def nothing_of_a_deleted_group_is_left(self) -> None:
        names = " ".join(lasting_keys(self.redis))
        assert not [group_id for group_id in self.model.deleted if group_id in names]

    @invariant()
    def no_owner_has_more_messages_than_a_window(self) -> None:
        for group in self.model.groups.values():
            assert len(self.model.placed(group)) <= WINDOW
        waiting = sum(image.state is ImageState.QUEUED for image in self.model.images)
        assert self.groups.backlog().total == waiting
        for owner in ("ada", "bob"):
            own = [image for image in self.model.images if image.group.owner == owner]
            assert self.groups.backlog(owner).of_owner == sum(image.state is ImageState.QUEUED for image in own)

    def teardown(self) -> None:
        """Lose every message and every worker; all the same, all images end and all webhooks are delivered."""
        for group in self.unconfirmed:
            self._confirm(group, are_lost=True)
        self.model.queue.clear()
        self.model.held.clear()
        self.redis.delete(*(heartbeat_key(worker) for worker in WORKERS))
        for _ in range(ROUNDS):
            self.recover(are_lost=False)
            while self.model.queue:
                self.deliver(0, WORKERS[0], stays=False, second=None)
                while self.model.held:
                    if isinstance(self.model.held[0].work, Fetch):
                        self.fetched(0, is_lost=False)
                    else:
                        self.end(0, is_well=True, are_lost=False)
        assert not [image for image in self.model.images if image.is_open], "an image was lost"
        self._deliver_webhooks()
        self.the_record_is_the_models()
        self.every_group_is_where_it_is_looked_for()
        for group_id in list(self.model.groups):
            self.delete(0)
            self.groups.blobs_deleted(group_id)
        for group_id in self.model.deleted:
            self.groups.blobs_deleted(group_id)
        left = {key for key in lasting_keys(self.redis) if "figures" not in key} - {heartbeat_key(w) for w in WORKERS}
        assert not left

    # Beneath.

    @property
    def unconfirmed(self) -> list[ModelGroup]:
        return [group for group in self.model.groups.values() if not group.confirmed]

    def _any_group(self, number: int) -> ModelGroup:
        return pick(list(self.model.groups.values()), number)

    def _confirm(self, group: ModelGroup, *, are_lost: bool) -> None:
        turns = self.groups.confirm(group.group_id)
        assert turns is not None
        self.model.admit(group, turns.published_at, are_lost=are_lost)
        self._take_turns(turns, are_lost=are_lost)

    def _take_turns(self, turns: Turns, *, are_lost: bool = False) -> None:
        """Send what a step has said is to be sent now."""
        for turn in turns.images:
            image = self.model.groups[turn.group_id].images[turn.index]
            assert image.waits, "it had its turn before"
            image.waits, image.is_placed = False, True
            if not are_lost:
                self.model.queue.append(InQueue(image, False, turns.published_at))

    def _let_go(self, number: int) -> Held:
        return self.model.held.pop(number % len(self.model.held))

    def _is_alive(self, worker: str) -> bool:
        return bool(self.redis.exists(heartbeat_key(worker)))

    def _has_living_owner(self, image: ModelImage) -> bool:
        return image.owner is not None and not image.owner.is_lost and self._is_alive(image.owner.worker)

    def _waiting(self, *, to_fetch: bool) -> list[float]:
        return [message.published_at for message in self.model.queue if message.to_fetch is to_fetch]

    def _begin(self, message: InQueue, worker: str) -> None:
        image, group = message.image, message.image.group
        may_begin = (
            group.group_id in self.model.groups
            and image.is_open
            and image.to_fetch is message.to_fetch
            and (not self._has_living_owner(image) or self._is_next(message, image))
        )
        begin: Callable[..., Work | Fetch | None] = self.groups.begin_fetch if message.to_fetch else self.groups.begin
        work = begin(group.group_id, image.index, worker=worker, delivery=message.delivery)
        if work is not None:
            assert may_begin, "begun without need, or by two at once"
            self.model.give(image, worker, message.delivery, work)
        elif may_begin:  # it was begun too often
            assert self.groups.read(group.group_id).images[image.index].outcome.code is ProblemCode.WORKER_CRASHED
            self.model.end(image, ImageState.FAILED)
            self.model.end_if_done(group)

    def _is_next(self, message: InQueue, image: ModelImage) -> bool:
        """Whether Celery has sent this message because the attempt before it is certainly over."""
        return image.owner is not None and message.delivery > image.owner.delivery

    def _check_ending(self, group: ModelGroup, ending: Ending) -> None:
        assert (Ending.GROUP_ENDED_NOTIFY in ending) is (
            group.has_ended and group.notify and not group.counts.cancelled
        )
        assert (Ending.GROUP_WEBHOOK in ending) is (group.has_ended and group.webhook)

    def _claim(self, group: ModelGroup, worker: str, *, run: int, index: int) -> None:
        delivery = self.webhooks.claim(group.group_id, run=run, index=index, worker=worker, max_duration=LONG)
        if delivery is None:
            return
        assert delivery.name in group.owed or group.webhooks_off, "delivered twice"
        for other, claimed in self.deliveries:
            if claimed.webhook_id == delivery.webhook_id and other != worker:
                assert not self._is_alive(other), "two workers deliver one webhook"
        self.deliveries.append((worker, delivery))

    def _deliver_webhooks(self) -> None:
        self.redis.delete(*(heartbeat_key(worker) for worker in WORKERS))
        self.deliveries.clear()
        for group in self.model.groups.values():
            make_webhooks_due(self.redis, group.group_id)
        for due in self.webhooks.due(1000):
            group = self.model.groups[due.group_id]
            self._claim(group, WORKERS[0], run=due.run, index=due.index)
        while self.deliveries:
            self.settle_webhook(0, WebhookState.DELIVERED)
        assert not {group.group_id: group.owed for group in self.model.groups.values() if group.owed}


@pytest.fixture(scope="module")
def machine(redis_url: str) -> Iterator[type[RuleBasedStateMachine]]:
    """Gives machines, one after the other, over one connection."""
    with contextlib.closing(connect(Settings(redis_url=redis_url))) as client:
        calls = Calls(client)
        client.evalsha = calls  # type: ignore[assignment]
        groups, webhook_store = GroupStore(client), WebhookStore(client)
        yield cast("type[RuleBasedStateMachine]", lambda: Interleavings(client, calls, groups, webhook_store))


def test_no_order_of_steps_breaks_a_promise(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=EXPLORE if EXAMPLES else ALWAYS_THE_SAME)
