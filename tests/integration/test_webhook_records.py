"""What is written down of webhooks, against a real Redis: none is forgotten, and no two workers deliver one at once."""

import time
from typing import Any

import pytest
from darkroom_contracts.mail import Address
from darkroom_contracts.messages import DeliverDueWebhooks, DeliverWebhook, SendResults
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import Counts, ImageState, WebhookState
from darkroom_records.groups import (
    Ended,
    Ending,
    GroupRunningError,
    GroupStore,
    NewImage,
    Outcome,
    ResultFacts,
    Terms,
    UnknownGroupError,
    WebhookStatus,
)
from darkroom_records.webhooks import (
    Delivery,
    GroupEnded,
    ImageEnded,
    NoWebhookError,
    PendingWebhook,
    Result,
    WebhookStore,
)
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from support.redis_keys import lasting_keys, make_webhooks_due

GROUP = "0123456789abcdef0123456789abcdef"
WORKER, OTHER = "outbound@a/1", "outbound@b/1"
URL = "https://example.org/hook?token=secret"
DELIVERED = Result(WebhookState.DELIVERED)
SOON = Result(WebhookState.PENDING, "The URL's server answered 503.", ProblemCode.FETCH_FAILED, wait=0.0)


@pytest.fixture
def groups(redis: Redis) -> GroupStore:
    for worker in (WORKER, OTHER):
        redis.set(heartbeat_key(worker), "alive")
    return GroupStore(redis)


@pytest.fixture
def webhooks(redis: Redis) -> WebhookStore:
    return WebhookStore(redis)


def create(groups: GroupStore, *images: NewImage, **terms: Any) -> None:
    groups.create(GROUP, images or [NewImage("a.jpg")], (), Terms(webhook_url=URL, **terms))


def end(groups: GroupStore, index: int = 0, error: str | None = "Damaged.") -> Ended:
    work = groups.begin(GROUP, index, worker=WORKER, delivery=0)
    assert work is not None
    if error:
        return groups.fail(work, error, ProblemCode.DAMAGED_IMAGE)
    return groups.succeed(work, Outcome(format="jpeg", width=1, height=1, bytes=1, sha256="ab"))


def ended(groups: GroupStore, **terms: Any) -> None:
    create(groups, **terms)
    end(groups)


def claim(webhooks: WebhookStore, worker: str = WORKER, **which: int) -> Delivery:
    delivery = webhooks.claim(GROUP, worker=worker, max_duration=60, **which)
    assert delivery is not None
    return delivery


def nothing_to_claim(webhooks: WebhookStore, worker: str = OTHER, **which: int) -> bool:
    return webhooks.claim(GROUP, worker=worker, max_duration=60, **which) is None


def status(groups: GroupStore) -> WebhookStatus:
    known = groups.read(GROUP, images=False).webhook
    assert known is not None
    return known


def test_the_end_of_a_group_is_one_webhook_that_says_how_it_ended(groups: GroupStore, webhooks: WebhookStore) -> None:
    create(groups, NewImage("a.jpg"), NewImage("b.jpg"), request_id="r1")
    assert end(groups, 0, error=None).effects == Ending.IMAGE_ENDED
    assert nothing_to_claim(webhooks)
    before = time.time()
    ending = end(groups, 1)
    assert ending.effects == Ending.IMAGE_ENDED | Ending.GROUP_WEBHOOK
    assert ending.messages(GROUP, 1) == (DeliverWebhook(GROUP),)
    delivery = claim(webhooks)
    assert (delivery.url, delivery.attempt, delivery.request_id) == (URL, 1, "r1")
    assert delivery.event == GroupEnded(Counts(succeeded=1, failed=1))
    assert before - 1 < delivery.happened_at == groups.read(GROUP).finished_at


def test_a_group_that_is_emailed_has_its_webhook_besides(groups: GroupStore) -> None:
    create(groups, email=Address("ada@example.org"), notify=True)
    assert end(groups).messages(GROUP, 0) == (SendResults(GROUP), DeliverWebhook(GROUP))


def test_a_group_without_a_webhook_has_none(groups: GroupStore, webhooks: WebhookStore) -> None:
    groups.create(GROUP, [NewImage("a.jpg")], ())
    assert end(groups).effects == Ending.IMAGE_ENDED
    assert groups.read(GROUP).webhook is None
    assert nothing_to_claim(webhooks)
    with pytest.raises(NoWebhookError):
        webhooks.resend(GROUP)


def test_each_image_has_a_webhook_where_that_is_asked_for(groups: GroupStore, webhooks: WebhookStore) -> None:
    create(groups, NewImage("a.jpg"), NewImage("b.jpg"), webhook_images=True)
    ending = end(groups, 1)
    assert ending.messages(GROUP, 1) == (DeliverWebhook(GROUP, index=1),)
    delivery = claim(webhooks, index=1)
    code = ProblemCode.DAMAGED_IMAGE
    assert delivery.event == ImageEnded(1, "b.jpg", ImageState.FAILED, "Damaged.", code, ())
    assert webhooks.settle(delivery, DELIVERED)
    assert nothing_to_claim(webhooks, index=1)
    end(groups, 0, error=None)
    assert claim(webhooks, index=0).event == ImageEnded(0, "a.jpg", ImageState.SUCCEEDED, None, None, ())
    assert claim(webhooks).event == GroupEnded(Counts(succeeded=1, failed=1))


@pytest.mark.parametrize("confirmed", [True, False])
def test_an_image_that_was_refused_has_one_from_the_start(
    groups: GroupStore, webhooks: WebhookStore, confirmed: bool
) -> None:
    code = ProblemCode.UNSUPPORTED_IMAGE
    images = [NewImage("a.jpg"), NewImage("b.txt", error="No image.", code=code)]
    groups.create(GROUP, images, (), Terms(webhook_url=URL, webhook_images=True), confirmed=confirmed)
    if not confirmed:
        assert webhooks.due(10) == []
        groups.confirm(GROUP)
    assert webhooks.due(10) == [PendingWebhook(GROUP, 0, 1)]
    assert claim(webhooks, index=1).event == ImageEnded(1, "b.txt", ImageState.FAILED, "No image.", code, ())


def test_an_image_with_outputs_names_them(groups: GroupStore, webhooks: WebhookStore) -> None:
    create(groups, webhook_images=True, outputs={"thumb": [], "web": []})
    work = groups.begin(GROUP, 0, worker=WORKER, delivery=0)
    assert work is not None
    facts = ResultFacts("jpeg", 1, 1, 1, "ab")
    groups.succeed(work, Outcome.of({"thumb": facts, "web": facts}))
    event = claim(webhooks, index=0).event
    assert isinstance(event, ImageEnded)
    assert event.outputs == ("thumb", "web")


def test_a_cancelled_group_has_its_webhooks_too(groups: GroupStore, webhooks: WebhookStore) -> None:
    create(groups, *[NewImage(f"{number}.jpg") for number in range(3)], webhook_images=True)
    end(groups, 1)
    cancelled = groups.cancel(GROUP)
    assert cancelled.ending.messages(GROUP) == (DeliverDueWebhooks(), DeliverWebhook(GROUP))
    assert {webhook.index for webhook in webhooks.due(10)} == {0, 2}  # at once; the others have messages of their own
    assert claim(webhooks).event == GroupEnded(Counts(failed=1, cancelled=2))
    event = claim(webhooks, index=2).event
    assert isinstance(event, ImageEnded)
    assert event.state is ImageState.CANCELLED


def test_a_group_that_expires_has_its_webhook_too(groups: GroupStore, webhooks: WebhookStore) -> None:
    create(groups, deadline=time.time() - 1)
    expired = groups.end_at_deadline(GROUP)
    assert expired is not None
    assert expired.ending.messages(GROUP) == (DeliverWebhook(GROUP),)
    assert claim(webhooks).event == GroupEnded(Counts(expired=1))


def test_ids_are_the_same_at_each_attempt_and_differ_for_each_event(groups: GroupStore, webhooks: WebhookStore) -> None:
    create(groups, webhook_images=True)
    end(groups)
    first, image = claim(webhooks), claim(webhooks, index=0)
    webhooks.settle(first, SOON)
    again = claim(webhooks)
    assert again.webhook_id == first.webhook_id
    webhooks.settle(again, DELIVERED)
    groups.retry(GROUP)
    end(groups)
    ids = {first.webhook_id, image.webhook_id, claim(webhooks).webhook_id, claim(webhooks, index=0).webhook_id}
    assert len(ids) == 4
    assert GROUP not in "".join(ids)


def test_two_workers_never_deliver_one_at_once(groups: GroupStore, webhooks: WebhookStore) -> None:
    ended(groups)
    delivery = claim(webhooks)
    assert nothing_to_claim(webhooks)
    assert nothing_to_claim(webhooks, WORKER)
    assert webhooks.settle(delivery, DELIVERED)
    assert nothing_to_claim(webhooks)


def test_what_a_lost_worker_was_delivering_is_delivered_by_another(
    groups: GroupStore, webhooks: WebhookStore, redis: Redis
) -> None:
    ended(groups)
    lost = claim(webhooks)
    redis.delete(heartbeat_key(WORKER))
    make_webhooks_due(redis, GROUP)
    assert webhooks.due(10) == [PendingWebhook(GROUP, 0, -1)]
    again = claim(webhooks, OTHER)
    assert (again.attempt, again.webhook_id) == (2, lost.webhook_id)
    assert not webhooks.settle(lost, Result(WebhookState.FAILED)), "it comes back too late"
    assert webhooks.settle(again, DELIVERED)
    assert status(groups) == WebhookStatus(WebhookState.DELIVERED, 2)


def test_a_worker_that_hangs_loses_it_too(groups: GroupStore, webhooks: WebhookStore) -> None:
    ended(groups)
    claim(webhooks)
    assert webhooks.claim(GROUP, worker=OTHER, max_duration=-1) is not None


def test_one_whose_message_was_lost_is_found_once_in_a_while(
    groups: GroupStore, webhooks: WebhookStore, redis: Redis
) -> None:
    ended(groups)
    assert webhooks.due(10) == [], "its message is under way"
    make_webhooks_due(redis, GROUP)
    assert webhooks.due(10) == [PendingWebhook(GROUP, 0, -1)]
    assert webhooks.due(10) == []
    webhooks.settle(claim(webhooks), DELIVERED)
    make_webhooks_due(redis, GROUP)
    assert webhooks.due(10) == []


def test_the_status_tells_how_it_stands(groups: GroupStore, webhooks: WebhookStore) -> None:
    create(groups)
    assert status(groups) == WebhookStatus(WebhookState.PENDING)
    end(groups)
    assert status(groups).attempts == 0
    version = groups.read(GROUP).version
    webhooks.settle(claim(webhooks), Result(WebhookState.PENDING, "No.", ProblemCode.FETCH_TIMEOUT, wait=300))
    known = status(groups)
    assert (known.state, known.attempts, known.error) == (WebhookState.PENDING, 1, "No.")
    assert known.code is ProblemCode.FETCH_TIMEOUT
    assert known.due_at == pytest.approx(time.time() + 300, abs=10)
    assert groups.read(GROUP).version > version, "whoever waits for a change is told"
    assert nothing_to_claim(webhooks), "it is not due"


def test_waiting_for_a_busy_host_is_no_attempt(groups: GroupStore, webhooks: WebhookStore) -> None:
    ended(groups)
    webhooks.settle(claim(webhooks), SOON)
    assert webhooks.release(claim(webhooks), seconds=0)
    assert status(groups).attempts == 1
    assert status(groups).error == SOON.error
    assert claim(webhooks).attempt == 2


def test_a_receiver_that_wants_no_more_gets_none(groups: GroupStore, webhooks: WebhookStore, redis: Redis) -> None:
    create(groups, NewImage("a.jpg"), NewImage("b.jpg"), NewImage("c.jpg"), webhook_images=True)
    end(groups, 0)
    end(groups, 1)
    webhooks.settle(claim(webhooks, index=0), Result(WebhookState.DISABLED, "It answered 410."))
    assert status(groups).state is WebhookState.DISABLED
    assert nothing_to_claim(webhooks, index=1)
    end(groups, 2)
    assert nothing_to_claim(webhooks, index=2)
    assert nothing_to_claim(webhooks)
    make_webhooks_due(redis, GROUP)
    assert webhooks.due(10) == []
    assert status(groups).state is WebhookState.DISABLED
    webhooks.resend(GROUP)
    assert claim(webhooks).event == GroupEnded(Counts(failed=3))


def test_410_for_an_image_stops_the_group_s_own_that_waits(groups: GroupStore, webhooks: WebhookStore) -> None:
    ended(groups, webhook_images=True)
    webhooks.settle(claim(webhooks, index=0), Result(WebhookState.DISABLED, "It answered 410."))
    assert status(groups) == WebhookStatus(WebhookState.DISABLED, 0, "It answered 410.")
    assert nothing_to_claim(webhooks)


def test_410_for_an_image_leaves_alone_what_another_worker_is_sending(
    groups: GroupStore, webhooks: WebhookStore, redis: Redis
) -> None:
    ended(groups, webhook_images=True)
    sending = claim(webhooks, OTHER)
    webhooks.settle(claim(webhooks, index=0), Result(WebhookState.DISABLED, "It answered 410."))
    make_webhooks_due(redis, GROUP)
    assert webhooks.due(10) == [PendingWebhook(GROUP, 0, -1)]
    assert webhooks.settle(sending, DELIVERED)
    assert status(groups).state is WebhookState.DELIVERED


@pytest.mark.parametrize("state", [WebhookState.DELIVERED, WebhookState.FAILED, WebhookState.DISABLED])
def test_the_last_one_can_be_sent_again_under_its_id(
    groups: GroupStore, webhooks: WebhookStore, state: WebhookState
) -> None:
    ended(groups)
    first = claim(webhooks)
    webhooks.settle(first, SOON)
    webhooks.settle(claim(webhooks), Result(state, "No."))
    webhooks.resend(GROUP)
    assert status(groups).state is WebhookState.PENDING
    again = claim(webhooks)
    assert again.webhook_id == first.webhook_id
    assert again.attempt == 1, "the schedule begins anew"
    webhooks.settle(again, DELIVERED)
    assert status(groups) == WebhookStatus(WebhookState.DELIVERED, 3)


def test_one_that_waits_for_its_next_attempt_is_sent_at_once(groups: GroupStore, webhooks: WebhookStore) -> None:
    ended(groups)
    webhooks.settle(claim(webhooks), Result(WebhookState.PENDING, "No.", wait=3600))
    webhooks.resend(GROUP)
    assert claim(webhooks).attempt == 1


def test_one_that_is_being_sent_is_not_sent_twice(groups: GroupStore, webhooks: WebhookStore) -> None:
    ended(groups)
    delivery = claim(webhooks)
    webhooks.resend(GROUP)
    assert nothing_to_claim(webhooks)
    assert webhooks.settle(delivery, DELIVERED)


def test_a_group_that_runs_or_is_unknown_sends_nothing_again(groups: GroupStore, webhooks: WebhookStore) -> None:
    with pytest.raises(UnknownGroupError):
        webhooks.resend(GROUP)
    create(groups)
    with pytest.raises(GroupRunningError):
        webhooks.resend(GROUP)


def test_a_group_that_is_run_again_has_a_new_one_at_its_end(groups: GroupStore, webhooks: WebhookStore) -> None:
    ended(groups)
    webhooks.settle(claim(webhooks), DELIVERED)
    groups.retry(GROUP)
    assert status(groups) == WebhookStatus(WebhookState.PENDING)
    assert nothing_to_claim(webhooks)
    end(groups, error=None)
    assert claim(webhooks).event == GroupEnded(Counts(succeeded=1))


def test_one_of_the_run_before_that_has_not_arrived_is_still_delivered_as_it_was(
    groups: GroupStore, webhooks: WebhookStore, redis: Redis
) -> None:
    ended(groups)
    groups.retry(GROUP)
    end(groups, error=None)
    make_webhooks_due(redis, GROUP)
    assert set(webhooks.due(10)) == {PendingWebhook(GROUP, 0, -1), PendingWebhook(GROUP, 1, -1)}
    before = claim(webhooks, run=0)
    assert before.event == GroupEnded(Counts(failed=1))
    assert webhooks.settle(before, DELIVERED)
    assert status(groups).state is WebhookState.PENDING
    assert claim(webhooks).event == GroupEnded(Counts(succeeded=1))


@pytest.mark.parametrize("part", ["before its end", "waiting", "being sent", "run again"])
def test_nothing_is_left_of_the_webhooks_of_a_group_that_was_erased(
    groups: GroupStore, webhooks: WebhookStore, redis: Redis, part: str
) -> None:
    create(groups, webhook_images=True)
    if part != "before its end":
        end(groups)
    delivery = claim(webhooks) if part == "being sent" else None
    if part == "run again":
        groups.retry(GROUP)
        end(groups)
    groups.delete(GROUP)
    groups.blobs_deleted(GROUP)
    if delivery:
        assert not webhooks.settle(delivery, SOON)
    assert nothing_to_claim(webhooks)
    assert not any(GROUP in key for key in lasting_keys(redis))
    assert webhooks.backlog().waiting == 0


def test_the_backlog_is_told(groups: GroupStore, webhooks: WebhookStore, redis: Redis) -> None:
    assert (webhooks.backlog().waiting, webhooks.backlog().overdue) == (0, 0)
    ended(groups, webhook_images=True)
    assert (webhooks.backlog().waiting, webhooks.backlog().overdue) == (2, 0)
    make_webhooks_due(redis, GROUP)
    assert webhooks.backlog().overdue > 1000
