import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator

import pytest
from darkroom_contracts.problems import ProblemCode
from darkroom_outbound.client import Client
from darkroom_outbound.delivering import SCHEDULE, Delivery, Outcome, Result, deliver
from darkroom_outbound.errors import HostBusyError
from darkroom_outbound.guard import Guard
from darkroom_outbound.host_slots import HostSlots
from darkroom_outbound.signing import sign
from darkroom_records.webhooks import parse_secret
from standardwebhooks import Webhook, WebhookVerificationError
from support.hostile_server import HostileServer, answer, hostile_server, redirect

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(24)).decode()
BODY = json.dumps({"type": "group.ended", "data": {"name": "Ä.jpg"}}, ensure_ascii=False).encode()
OPEN = Guard.parse(allow=["127.0.0.1"])


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with hostile_server() as running:
        yield running


def attempt(server: HostileServer, path: str = "/", number: int = 1, *, seconds: float = 10) -> Result:
    return deliver(
        Delivery("msg_1", server.url(path), BODY, number),
        client=Client(OPEN),
        keys=[parse_secret(SECRET)],
        seconds=seconds,
    )


def test_a_webhook_is_one_post_that_the_librarys_receiver_accepts(server: HostileServer) -> None:
    server.answers["/"] = answer(204)
    result = deliver(
        Delivery("msg_1", server.url(), BODY, 1),
        client=Client(OPEN),
        keys=[parse_secret(OTHER), parse_secret(SECRET)],
        seconds=10,
    )
    assert (result.outcome, result.status, result.error) == (Outcome.DELIVERED, 204, None)
    (received,) = server.received
    assert (received.method, received.body) == ("POST", BODY)
    assert received.headers["content-type"] == "application/json"
    assert received.headers["webhook-id"] == "msg_1"
    assert abs(int(received.headers["webhook-timestamp"]) - time.time()) < 60
    for secret in (SECRET, OTHER):  # both while receivers change from one to the other
        assert Webhook(secret).verify(received.body, received.headers) == json.loads(BODY)
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(received.body + b" ", received.headers)


def test_the_signature_is_that_of_the_specification() -> None:
    text = b"msg_1.1700000000." + BODY
    expected = base64.b64encode(hmac.new(bytes(range(32)), text, hashlib.sha256).digest()).decode()
    assert sign([parse_secret(SECRET)], "msg_1", 1_700_000_000, BODY) == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1700000000",
        "webhook-signature": f"v1,{expected}",
    }
    # The example of the specification's own implementations.
    example = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = sign([example], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}')
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_a_secret_a_webhook_is_sent_unsigned() -> None:
    assert sign([], "msg_1", 1, BODY) == {"webhook-id": "msg_1", "webhook-timestamp": "1"}


@pytest.mark.parametrize("text", ["s3cret", "whsec_", "whsec_***", "whsec_YWJj", "whsec_" + "A" * 400])
def test_a_secret_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="a webhook secret") as refused:
        parse_secret(text)
    assert text == "whsec_" or text not in str(refused.value)


def test_no_redirect_is_followed(server: HostileServer) -> None:
    server.answers |= {"/": redirect("/b", 307), "/b": answer(200)}
    result = attempt(server)
    assert result.outcome == Outcome.RETRY
    assert [received.path for received in server.received] == ["/"]


def test_410_tells_that_no_more_are_wanted(server: HostileServer) -> None:
    server.answers["/"] = answer(410)
    assert attempt(server).outcome == Outcome.GONE


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_any_other_answer_is_tried_again_by_the_schedule_and_then_given_up(server: HostileServer, status: int) -> None:
    server.answers["/"] = answer(status)
    for number, wait in enumerate(SCHEDULE, start=1):
        result = deliver(Delivery("msg_1", server.url(), BODY, number), client=Client(OPEN), keys=(), seconds=10)
        assert (result.outcome, result.status) == (Outcome.RETRY, status)
        assert wait <= result.wait <= 1.1 * wait
    last = deliver(Delivery("msg_1", server.url(), BODY, len(SCHEDULE) + 1), client=Client(OPEN), keys=(), seconds=10)
    assert (last.outcome, last.status) == (Outcome.FAILED, status)
    assert last.error == f"The URL's server answered {status}."


def test_a_server_may_ask_to_wait_for_longer_but_for_no_more_than_a_day(server: HostileServer) -> None:
    server.answers |= {"/": answer(503, Retry_After="100"), "/long": answer(429, Retry_After="99999999")}
    for path, wait in (("/", 100), ("/long", 86_400)):
        result = deliver(Delivery("msg_1", server.url(path), BODY, 1), client=Client(OPEN), keys=(), seconds=10)
        assert wait <= result.wait <= 1.1 * wait


def test_a_server_that_says_nothing_is_left_after_the_timeout(server: HostileServer) -> None:
    server.answers["/"] = server.silent
    result = deliver(Delivery("msg_1", server.url(), BODY, 1), client=Client(OPEN), keys=(), seconds=0.3)
    assert (result.outcome, result.status, result.code) == (Outcome.RETRY, None, ProblemCode.FETCH_TIMEOUT)


def test_an_answer_without_end_is_not_read(server: HostileServer) -> None:
    server.answers["/"] = server.forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536)
    assert attempt(server).outcome == Outcome.DELIVERED


@pytest.mark.parametrize("url", ["http://127.0.0.2/", "http://[::1]/", "http://a:b@example.com/", "ftp://example.com/"])
def test_a_webhook_goes_only_where_a_fetch_may_and_is_not_tried_again(url: str) -> None:
    result = deliver(Delivery("msg_1", url, BODY, 1), client=Client(OPEN), keys=(), seconds=10)
    assert (result.outcome, result.code) == (Outcome.FAILED, ProblemCode.URL_NOT_ALLOWED)


def test_a_host_that_is_busy_costs_no_attempt(server: HostileServer) -> None:
    slots = HostSlots(1)
    with slots.hold("127.0.0.1"), pytest.raises(HostBusyError):
        deliver(Delivery("msg_1", server.url(), BODY, 1), client=Client(OPEN, slots=slots), keys=(), seconds=10)
    assert server.received == []
