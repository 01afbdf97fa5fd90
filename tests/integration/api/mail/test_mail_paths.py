"""Every path that ends in an email passes the gate in the outbox. A new path has to be entered here first."""

import ast
import base64
import io
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address
from darkroom_contracts.problems import ProblemCode
from darkroom_mailer.notifications import notify
from darkroom_records.groups import GroupStore, NewImage, Terms
from darkroom_records.mail_limits import MailLimits, MailLimitSettings
from darkroom_records.outbox import EmailRecord, Outbox
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import png
from werkzeug.test import TestResponse

ROOT = Path(__file__).parents[4]
ADA = "ada@example.org"
SPELLINGS = ("ada@gmail.com", "A.da@gmail.com", "ada+1@googlemail.com", "a.d.a+2@gmail.com")
KEY = {"Authorization": "Bearer secret"}
LIMIT = 2

SUBMITTING = {
    "packages/records/src/darkroom_records/outbox/sender.py",  # whatever a request asks for
    "services/mailer/src/darkroom_mailer/notifications.py",  # the end of a group
    "services/mailer/src/darkroom_mailer/newsletter.py",  # exempt: to who confirmed, once an issue
}
"""The modules that put emails into the outbox."""

EmailsOf = Callable[[], list[EmailRecord]]
Ask = Callable[[FlaskClient, "Groups", str], TestResponse]


class Groups:
    """Groups as their ends find them."""

    def __init__(self, store: GroupStore, outbox: Outbox) -> None:
        self.store = store
        self.outbox = outbox

    def notify(self, group_id: str) -> str | None:
        """Let the mailer hear of the end."""
        return notify(group_id, groups=self.store, outbox=self.outbox, deliver=lambda *_: True)

    def end(self, group_id: str) -> None:
        """Fail what waits, and let the mailer hear of the end."""
        for image in self.store.read(group_id).images:
            if work := self.store.begin(group_id, image.index, worker="test", delivery=0):
                self.store.fail(work, "It is damaged.", ProblemCode.DAMAGED_IMAGE)
        self.notify(group_id)

    def ended(self, email: str | None, *, notify: bool = False) -> str:
        group_id = new_group_id()
        self.store.create(
            group_id,
            [NewImage("a.png", error="It is no image.")],
            (),
            Terms(email=Address(email) if email else None, notify=notify),
        )
        return group_id

    def failed(self, email: str) -> str:
        """A group that was notified of an eternity ago, with an image that can be run again."""
        group_id = new_group_id()
        self.store.create(group_id, [NewImage("a.png")], (), Terms(email=Address(email), notify=True))
        work = self.store.begin(group_id, 0, worker="test", delivery=0)
        assert work
        self.store.fail(work, "It is damaged.", ProblemCode.DAMAGED_IMAGE)
        return group_id


def ended_if_accepted(groups: Groups, answer: TestResponse) -> TestResponse:
    if answer.status_code == 202:
        groups.end(answer.get_json()["group_id"])
    return answer


def process_images(http: FlaskClient, groups: Groups, email: str) -> TestResponse:
    body = {"images": [base64.b64encode(png()).decode()], "email": email, "notify": True}
    return ended_if_accepted(groups, http.post("/process_images", json=body, headers=KEY))


def blur(http: FlaskClient, groups: Groups, email: str) -> TestResponse:
    form = {"images": (io.BytesIO(png()), "a.png"), "email": email, "notify": "true"}
    return ended_if_accepted(groups, http.post("/blur", data=form, headers=KEY))


def retry(http: FlaskClient, groups: Groups, email: str) -> TestResponse:
    return ended_if_accepted(groups, http.post(f"/retry/{groups.failed(email)}", headers=KEY))


def send_images(http: FlaskClient, groups: Groups, email: str) -> TestResponse:
    return http.post(f"/send_images/{groups.ended(email)}", headers=KEY)


def send_images_by_link(http: FlaskClient, groups: Groups, email: str) -> TestResponse:
    return http.get(f"/send_images/{groups.ended(email)}", headers=KEY)


def send_images_to(http: FlaskClient, groups: Groups, email: str) -> TestResponse:
    return http.post(f"/send_images/{groups.ended(None)}", json={"email": email}, headers=KEY)


def send_email(http: FlaskClient, _groups: Groups, email: str) -> TestResponse:
    return http.post("/send_email", json={"to": email, "subject": "Hello", "body": "Good day."}, headers=KEY)


def subscribe(http: FlaskClient, _groups: Groups, email: str) -> TestResponse:
    return http.post("/subscribe", json={"email": email}, headers=KEY)


MAILING: Mapping[tuple[str, str], tuple[Ask, ...]] = {
    ("POST", "/process_images"): (process_images,),
    ("POST", "/blur"): (blur,),
    ("POST", "/retry/<group_id>"): (retry,),
    ("POST", "/send_images/<group_id>"): (send_images, send_images_to),
    ("GET", "/send_images/<group_id>"): (send_images_by_link,),
    ("POST", "/send_email"): (send_email,),
    ("POST", "/subscribe"): (subscribe,),
}
"""What ends in an email, now or later."""

NEVER_MAILING = {
    ("POST", "/cancel/<group_id>"),  # a cancelled group notifies nobody
    ("DELETE", "/groups/<group_id>"),
    ("DELETE", "/images/<image_id>"),
    ("POST", "/images"),
    ("POST", "/preflight"),
    ("POST", "/webhook/<group_id>"),
    ("POST", "/confirm/<token>"),
    ("POST", "/tasks/<string(minlength=32):id>/cancel"),
    ("POST", "/tasks/count"),
    ("POST", "/unsubscribe"),
    ("POST", "/unsubscribe/<token>"),
}
"""What changes something, and sends no email."""

WAYS = [pytest.param(way, id=way.__name__) for ways in MAILING.values() for way in ways]


@pytest.fixture
def some_groups(redis: Redis, groups: GroupStore) -> Groups:
    limits = MailLimits(MailLimitSettings(mail_limit_per_address=f"{LIMIT}/hour"))
    return Groups(groups, Outbox(redis, limits))


@pytest.mark.parametrize("ask", WAYS)
def test_an_address_is_mailed_so_often_and_no_more_by_any_path_and_in_any_spelling(
    make_http: Callable[..., FlaskClient], some_groups: Groups, emails: EmailsOf, ask: Ask
) -> None:
    http = make_http(mail_limit_per_address=f"{LIMIT}/hour", api_keys="secret")
    answers = [ask(http, some_groups, email) for email in SPELLINGS]
    assert [answer.status_code for answer in answers] == [202] * LIMIT + [429] * (len(SPELLINGS) - LIMIT)
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers[LIMIT:])
    assert len(emails()) == LIMIT


@pytest.mark.parametrize("ask", WAYS)
def test_a_client_asks_for_so_many_emails_and_no_more_by_any_path(
    make_http: Callable[..., FlaskClient], some_groups: Groups, emails: EmailsOf, ask: Ask
) -> None:
    http = make_http(mail_limit_per_client="3/hour", api_keys="secret")
    answers = [ask(http, some_groups, f"reader{number}@example.org") for number in range(5)]
    assert [answer.status_code for answer in answers] == [202] * 3 + [429] * 2
    assert len(emails()) == 3


def test_one_group_that_is_run_again_and_again_emails_no_more_than_the_limit(
    make_http: Callable[..., FlaskClient], some_groups: Groups, emails: EmailsOf
) -> None:
    http = make_http(mail_limit_per_address=f"{LIMIT}/hour")
    group_id = some_groups.failed(ADA)
    answers = []
    for _ in range(10):
        answers.append(http.post(f"/retry/{group_id}").status_code)
        some_groups.end(group_id)
    assert answers == [202] * LIMIT + [429] * (10 - LIMIT)
    assert len(emails()) == LIMIT


def test_every_endpoint_that_changes_something_is_known_to_mail_or_not_to(http: FlaskClient) -> None:
    rules = {
        (method, rule.rule)
        for rule in http.application.url_map.iter_rules()
        for method in rule.methods or ()
        if method in {"POST", "PUT", "PATCH", "DELETE"} or ("send" in rule.rule and method == "GET")
    }
    assert rules == set(MAILING) | NEVER_MAILING


def test_only_known_modules_put_emails_into_the_outbox() -> None:
    def submits(module: Path) -> bool:
        nodes = ast.walk(ast.parse(module.read_text()))
        calls = [ast.unparse(node.func).lower() for node in nodes if isinstance(node, ast.Call)]
        return any(call == "submit_results" or ("outbox" in call and call.endswith(".submit")) for call in calls)

    modules = [module for folder in ("packages", "services") for module in (ROOT / folder).glob("*/src/**/*.py")]
    assert {str(module.relative_to(ROOT)) for module in modules if submits(module)} == SUBMITTING


def test_nothing_but_the_outbox_writes_an_email_down() -> None:
    modules = [module for folder in ("packages", "services") for module in (ROOT / folder).glob("*/src/**/*.py")]
    known_to = {module.parent.name for module in modules if "keys.DUE_MAIL" in module.read_text()}
    assert known_to == {"outbox", "groups"}
    scripts = (ROOT / "packages/records/src/darkroom_records/groups/scripts").glob("*.lua")
    touching = [line.strip() for script in scripts for line in script.read_text().splitlines() if "DUE_EMAILS" in line]
    assert touching == ["redis.call('ZREM', DUE_EMAILS, email_id)"], "a deleted group takes its emails with it"


def test_a_notification_that_the_limit_stops_at_the_end_is_told_of_in_the_status(
    redis: Redis, http: FlaskClient, some_groups: Groups, emails: EmailsOf
) -> None:
    group_id = some_groups.failed(ADA)  # counted by nobody, as if its beginning were longer ago than the limit looks
    outbox = Outbox(redis, MailLimits())
    for number in range(LIMIT):
        some_groups.notify(some_groups.ended(ADA, notify=True))
        assert len(emails()) == number + 1
    before = http.get(f"/status/{group_id}")
    assert before.get_json()["email_error"] is None
    assert some_groups.notify(group_id) is None
    after = http.get(f"/status/{group_id}", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert "Too many emails requested for this address." in after.get_json()["email_error"]
    assert len(emails()) == LIMIT
    # It is not lost: it can be asked for once there is room again.
    redis.delete(*redis.keys("darkroom:mails:limits:*"))
    answer = http.post(f"/send_images/{group_id}")
    assert outbox.read(answer.get_json()["id"]).kind == "results"


def test_a_group_that_is_run_again_says_nothing_of_its_earlier_end(
    http: FlaskClient, groups: GroupStore, some_groups: Groups
) -> None:
    group_id = some_groups.failed(ADA)
    groups.note_email_error(groups.read(group_id), "Too many.")
    assert http.get(f"/status/{group_id}").get_json()["email_error"] == "Too many."
    assert http.post(f"/retry/{group_id}").status_code == 202
    assert http.get(f"/status/{group_id}").get_json()["email_error"] is None


def test_a_retry_that_is_refused_for_its_email_changes_nothing(
    make_http: Callable[..., FlaskClient], some_groups: Groups
) -> None:
    http = make_http(mail_limit_per_address="1/hour")
    assert subscribe(http, some_groups, ADA).status_code == 202
    group_id = some_groups.failed(ADA)
    before = http.get(f"/status/{group_id}").get_json()
    assert http.post(f"/retry/{group_id}").status_code == 429
    assert http.get(f"/status/{group_id}").get_json() == before


def test_a_client_takes_so_many_addresses_off_the_newsletter_and_no_more(make_http: Callable[..., FlaskClient]) -> None:
    http = make_http(mail_limit_per_client="2/hour")
    answers = [http.post("/unsubscribe", json={"email": f"reader{number}@example.org"}) for number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert subscribe(http, None, ADA).status_code == 202  # type: ignore[arg-type]  # leaving and asking count apart
