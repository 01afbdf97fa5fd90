"""A step whose answer is lost is done once, and whoever asks again gets the answer."""

import ast
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import darkroom_records
import pytest
from darkroom_contracts.mail import Address, Email, EmailState, TextEmail
from darkroom_contracts.messages import Count
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import Counts, WebhookState
from darkroom_records import webhooks
from darkroom_records.groups import (
    Ended,
    Ending,
    Fetch,
    GroupEndedError,
    GroupStore,
    IdempotencyKey,
    NewImage,
    Outcome,
    Terms,
    Work,
)
from darkroom_records.mail_limits import MailLimits, MailLimitSettings, MailRequest
from darkroom_records.outbox import Claim, Outbox, Result
from darkroom_records.steps.clock import clock_of
from darkroom_records.subscribers import Subscribers
from darkroom_records.task_store import TaskStore
from darkroom_records.uploads import Upload, UploadStore
from darkroom_records.webhooks import Delivery, GroupEnded, WebhookStore
from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings
from darkroom_runtime.workers import heartbeat_key
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError
from support.redis_keys import contents
from support.tcp_proxy import Proxy
from support.waiting import wait_for

GROUP = "0123456789abcdef0123456789abcdef"
MAIL = "fedcba9876543210fedcba9876543210"
TASK = "aaaabbbbccccddddaaaabbbbccccdddd"
UPLOAD = Upload(image_id="1" * 32, format="jpeg", width=4, height=3, bytes=100, sha256="ab" * 32, client="192.0.2.1")
KEY = IdempotencyKey("client", "key", "the same")
ADA = Address("ada@example.org")
WORKER = "images@a/1"
CLAIM = Claim(MAIL, 1, (ADA,), TextEmail(subject="Hello", body="Good day."), 0.0, 0, {}, None, None)
TAKEN = Delivery(GROUP, "0", 1, 1, "https://example.org/hook", GroupEnded(Counts(failed=1)), 0.0, None)
SENT = Result(state=EmailState.SENT, left=(), accepted=1, refused={})

RECORDS = Path(darkroom_records.__file__).parent
SHARED = {"common", "work", "webhook", "limits", "once"}
"""Scripts that others begin with."""


class Records:
    """Every store, over one connection."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        self.groups = GroupStore(redis)
        self.outbox = Outbox(redis, MailLimits(MailLimitSettings.model_validate({"mail_limit_per_client": "1/hour"})))
        self.subscribers = Subscribers(redis)
        self.tasks = TaskStore(redis)
        self.webhooks = WebhookStore(redis)
        self.uploads = UploadStore(redis)

    def create(self, *, confirmed: bool = True, key: IdempotencyKey | None = None) -> float:
        images = [NewImage("a"), NewImage("b")]
        return self.groups.create(
            GROUP, images, (), Terms(email=ADA, notify=True), confirmed=confirmed, idempotency=key
        )

    def begin(self, index: int = 0) -> Any:
        return self.groups.begin(GROUP, index, worker=WORKER, delivery=0)

    def fail(self, index: int = 0) -> Ended:
        return self.groups.fail(self.begin(index), "Damaged.", ProblemCode.DAMAGED_IMAGE)

    def submit(self) -> str:
        mail = Email((ADA,), TextEmail(subject="Hello", body="Good day."))
        return self.outbox.submit(mail, request=MailRequest("name"), email_id=MAIL)

    def take(self) -> Any:
        return self.webhooks.claim(GROUP, worker=WORKER, max_duration=60)

    def claim(self) -> Any:
        return self.outbox.claim(MAIL, worker=WORKER, max_duration=60)


def nothing(_: Records) -> None:
    """Begin with an empty Redis."""


def created(records: Records) -> None:
    records.create()


def unfinished(records: Records) -> None:
    records.create(confirmed=False)


def begun(records: Records) -> None:
    records.create()
    records.begin()


def fetching(records: Records) -> None:
    records.groups.create(GROUP, [NewImage("a", url="https://example.org/a.jpg")], ())
    records.groups.begin_fetch(GROUP, 0, worker=WORKER, delivery=0)


def nearly_ended(records: Records) -> None:
    records.create()
    records.fail(0)
    records.begin(1)


def ended(records: Records) -> None:
    records.create()
    records.fail(0)
    records.fail(1)


def told(records: Records) -> None:
    terms = Terms(webhook_url="https://example.org/hook", webhook_images=True)
    records.groups.create(GROUP, [NewImage("a")], (), terms)
    records.fail()


def telling(records: Records) -> None:
    told(records)
    records.take()


def cancelled(records: Records) -> None:
    begun(records)
    records.groups.cancel(GROUP)


def lost(records: Records) -> None:
    begun(records)
    records.redis.delete(heartbeat_key(WORKER))


def submitted(records: Records) -> None:
    records.submit()


def claimed(records: Records) -> None:
    records.submit()
    records.claim()


def overdue(records: Records) -> None:
    records.submit()
    records.redis.zadd("darkroom:mails:due", {MAIL: 0})


def noted(records: Records) -> None:
    records.tasks.create(Count, TASK, total=3)


def uploaded(records: Records) -> None:
    records.uploads.create(UPLOAD, keep_for=60, client_limit=UPLOAD.counted, total_limit=UPLOAD.counted)


def asked(records: Records) -> None:
    records.subscribers.request(ADA)


def subscribed(records: Records) -> None:
    asked(records)
    records.subscribers.confirm(ADA)


def retry_wanted(name: str) -> MailRequest:
    return MailRequest(name, client="192.0.2.1")


Case = tuple[Callable[[Records], None], Callable[[Records], Any]]
CASES: dict[str, Case] = {
    "create": (nothing, lambda records: records.create(key=KEY)),
    "confirm": (unfinished, lambda records: records.groups.confirm(GROUP)),
    "abandon": (unfinished, lambda records: records.groups.abandon(GROUP, patience=-1)),
    "expire": (ended, lambda records: records.groups.expire(GROUP, now=time.time() + 60, keep_for=0)),
    "erase": (ended, lambda records: records.groups.delete(GROUP)),
    "finish_notification": (
        ended,
        lambda records: records.groups.finish_notification(GROUP, finished_at=records.groups.read(GROUP).finished_at),
    ),
    "begin": (created, lambda records: records.begin()),
    "finish": (nearly_ended, lambda records: records.groups.succeed(Work(GROUP, 1, 1, ()), Outcome(width=1))),
    "give_up": (
        nearly_ended,
        lambda records: records.groups.give_up(
            GROUP, 1, worker=WORKER, error="Too long.", code=ProblemCode.TIME_LIMIT_EXCEEDED
        ),
    ),
    "release": (begun, lambda records: records.groups.release(Work(GROUP, 0, 1, ()), seconds=5)),
    "fetched": (fetching, lambda records: records.groups.fetched(Fetch(GROUP, 0, 1, ""))),
    "cancel": (begun, lambda records: records.groups.cancel(GROUP)),
    "confirm_aborted": (cancelled, lambda records: records.groups.confirm_aborted(GROUP, 0)),
    "retry": (ended, lambda records: records.groups.retry(GROUP)),
    "recover": (lost, lambda records: list(records.groups.take_lost_images(oldest_waiting=0, grace=30, max_hold=100))),
    "set_email": (ended, lambda records: records.groups.set_email(GROUP, ADA)),
    "note_email_error": (
        ended,
        lambda records: records.groups.note_email_error(records.groups.read(GROUP), "Too many emails."),
    ),
    "claim_webhook": (told, lambda records: records.take()),
    "settle_webhook": (telling, lambda records: records.webhooks.settle(TAKEN, webhooks.Result(WebhookState.DISABLED))),
    "resend_webhook": (told, lambda records: records.webhooks.resend(GROUP)),
    "submit": (nothing, lambda records: records.submit()),
    "reserve": (nothing, lambda records: records.outbox.reserve((ADA,), retry_wanted("one"))),
    "claim": (submitted, lambda records: records.claim()),
    "hand_over": (claimed, lambda records: records.outbox.hand_over(CLAIM)),
    "settle": (claimed, lambda records: records.outbox.settle(CLAIM, SENT)),
    "due": (overdue, lambda records: records.outbox.due(10)),
    "create_task": (nothing, noted),
    "begin_task": (noted, lambda records: records.tasks.begin_count(TASK, 3)),
    "move_task": (noted, lambda records: records.tasks.cancel(TASK)),
    "create_upload": (nothing, uploaded),
    "keep_uploads": (uploaded, lambda records: records.uploads.find([UPLOAD.image_id], owner="", keep_for=3600)),
    "drop_upload": (uploaded, lambda records: records.uploads.erase([UPLOAD.image_id])),
    "request_subscription": (nothing, asked),
    "confirm_subscription": (asked, lambda records: records.subscribers.confirm(ADA)),
    "remove_subscriber": (subscribed, lambda records: records.subscribers.remove(ADA)),
    "count_bounce": (subscribed, lambda records: records.subscribers.record_bounce(ADA, limit=2)),
}
"""For each script, what is there before, and a call of it."""


@pytest.fixture
def proxy(redis: Redis) -> Iterator[Proxy]:
    """A network to a Redis where the worker lives."""
    address = redis.connection_pool.connection_kwargs
    with Proxy(address["host"], address["port"]) as network:
        yield network


@pytest.fixture
def distant(proxy: Proxy) -> Iterator[Records]:
    """All stores, behind that network."""
    with connect(Settings(redis_url=f"redis://127.0.0.1:{proxy.port}/0"), patience=1.0) as client:
        yield Records(client)


def address_of(redis: Redis) -> str:
    known = redis.connection_pool.connection_kwargs
    return f"{known['host']}:{known['port']}"


def prepare(redis: Redis, case: Case) -> Records:
    redis.flushdb()
    redis.set(heartbeat_key(WORKER), "alive")
    near = Records(redis)
    case[0](near)
    return near


def without_times(what: object) -> str:
    return re.sub(r"\b1\d{9}(\.\d+)?", "TIME", repr(what))


def test_every_script_is_tried() -> None:
    scripts = {file.stem for file in RECORDS.rglob("*.lua")}
    assert scripts - SHARED == set(CASES)


def test_scripts_are_run_as_steps_and_in_no_other_way() -> None:
    root = RECORDS.parents[3]
    ways = {"register_script", "eval", "evalsha", "script_load", "fcall"}
    for file in [*root.glob("packages/*/src/**/*.py"), *root.glob("services/*/src/**/*.py")]:
        used = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
        assert not used & ways or file == RECORDS / "steps/step.py", f"{file} runs a script that is no step"


@pytest.mark.parametrize("name", CASES)
def test_a_lost_answer_changes_neither_the_answer_nor_what_is_done(
    redis: Redis, proxy: Proxy, distant: Records, name: str
) -> None:
    _, act = case = CASES[name]
    near = prepare(redis, case)
    before = contents(redis)
    answer, after = act(near), contents(redis)
    assert answer or after != before, "this call is no trial: it changes nothing and answers nothing"

    prepare(redis, case)
    proxy.drop_reply(b"EVALSHA", times=2)
    assert without_times(act(distant)) == without_times(answer)
    assert without_times(contents(redis)) == without_times(after)
    assert proxy.dropped == 2, "no answer was lost"


@pytest.mark.parametrize("name", CASES)
def test_a_step_works_on_a_redis_that_has_forgotten_the_script(redis: Redis, name: str) -> None:
    near = prepare(redis, CASES[name])
    answer = CASES[name][1](near)
    again = prepare(redis, CASES[name])
    redis.script_flush()
    assert without_times(CASES[name][1](again)) == without_times(answer)


def test_two_callers_get_what_holds_for_each(redis: Redis) -> None:
    near = prepare(redis, CASES["cancel"])
    assert near.groups.cancel(GROUP).aborted == (0,)
    with pytest.raises(GroupEndedError):
        near.groups.cancel(GROUP)


def test_the_end_of_a_group_is_announced_though_its_answer_was_lost(
    redis: Redis, proxy: Proxy, distant: Records
) -> None:
    prepare(redis, CASES["finish"])
    proxy.drop_reply(b"EVALSHA")
    assert distant.groups.succeed(Work(GROUP, 1, 1, ()), Outcome(width=1)).effects is Ending.GROUP_ENDED_NOTIFY


def test_what_its_caller_gave_up_is_not_done_later(redis: Redis, proxy: Proxy) -> None:
    prepare(redis, CASES["cancel"])
    before = contents(redis)
    with connect(Settings(redis_url=f"redis://127.0.0.1:{proxy.port}/0"), patience=0.5, retries=1) as client:
        hasty = Records(client)
        wait_for(
            lambda: not hasty.groups.confirm_aborted(GROUP, 0) and clock_of(client).is_set,
            limit=30,
            what="a clock that is set",
        )
        redis.config_resetstat()
        with proxy.frozen(), pytest.raises(RedisTimeoutError):
            hasty.groups.cancel(GROUP)
        wait_for(lambda: "cmdstat_evalsha" in redis.info("commandstats"), limit=10, what="the command to arrive")
    assert contents(redis) == before


@pytest.mark.parametrize(("patience", "retries"), [(2.0, 1), (2.0, 3), (5.0, 8), (5.0, 30)])
def test_answers_are_kept_until_nobody_sends_the_call_again(redis: Redis, patience: float, retries: int) -> None:
    prepare(redis, CASES["create"])
    url = Settings(redis_url=f"redis://{address_of(redis)}/0")
    with connect(url, patience=patience, retries=retries) as client:
        CASES["create"][1](Records(client))
    answers = redis.keys("darkroom:answer:*")
    longest = patience * (retries + 1) + 2.0 * retries  # each attempt, and the longest pause before the next
    assert answers
    assert all(longest < redis.ttl(key) <= 600 for key in answers)
