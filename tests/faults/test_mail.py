"""What becomes of the email with a batch's results when its server, or the mailer, fails: it arrives once."""

import secrets
import socket
from collections.abc import Iterator

import pytest
from support.local_stack import LocalStack
from support.mail_server import MailServer
from support.waiting import wait_for

from faults.causes import frozen, pass_time
from faults.ledger import Ledger

pytestmark = pytest.mark.faults

SETTINGS = {
    "DARKROOM_WORKER_CONCURRENCY": "2",
    "DARKROOM_SMTP_TIMEOUT": "5",
    "DARKROOM_MAIL_RETRY_WAIT": "2",
    "DARKROOM_MAIL_INTERVAL": "2",
    "DARKROOM_MAIL_LIMIT_PER_CLIENT": "1000/hour",
}


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture(scope="module")
def stack(server: MailServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    settings = SETTINGS | {"DARKROOM_SMTP_PORT": str(server.port)}
    with LocalStack(tmp_path_factory.mktemp("mail"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def ledger(stack: LocalStack) -> Ledger:
    return Ledger.opened(stack)


@pytest.fixture
def address() -> str:
    return f"{secrets.token_hex(4)}@example.org"


def arrives_once(server: MailServer, address: str) -> None:
    wait_for(lambda: server.taken_for()[address], limit=60, what="the email")
    pass_time(6)  # some retries and sweeps
    assert server.taken_for()[address] == 1


def test_the_server_is_down(server: MailServer, ledger: Ledger, address: str) -> None:
    def come_back(_: str) -> None:
        pass_time(5)
        server.start()
        arrives_once(server, address)

    ledger.run("SMTP server down", lambda _: server.stop(), then=come_back, email=address, notify="true")


def test_the_server_answers_421(server: MailServer, ledger: Ledger, address: str) -> None:
    def refuse(_: str) -> None:
        server.answers += ["421 Try again later"] * 3

    ledger.run(
        "SMTP server answers 421 three times",
        refuse,
        then=lambda _: arrives_once(server, address),
        email=address,
        notify="true",
    )
    assert server.answers == []


def test_the_server_hangs(server: MailServer, ledger: Ledger, address: str) -> None:
    server.stop()
    with socket.create_server(("127.0.0.1", server.port)) as silent:

        def hang(_: str) -> None:
            silent.settimeout(60)
            connection, _ = silent.accept()
            with connection:
                pass_time(10)
            silent.close()
            server.start()
            arrives_once(server, address)

        ledger.run("SMTP server hangs", lambda _: None, then=hang, email=address, notify="true")


def test_the_mailer_is_killed_between_the_servers_250_and_the_record_of_it(
    stack: LocalStack, server: MailServer, ledger: Ledger, address: str
) -> None:
    server.text_arrived.clear()
    server.may_answer.clear()

    def kill(_: str) -> None:
        server.text_arrived.wait(60)
        with frozen(stack.processes["redis"].pid):
            server.may_answer.set()
            arrives_once(server, address)
            stack.kill_program("mailer")
        arrives_once(server, address)

    ledger.run(
        "kill -9 of the mailer between SMTP's 250 and the record",
        lambda _: None,
        then=kill,
        email=address,
        notify="true",
    )


def test_the_mailer_is_killed_before_the_text_was_handed_over(
    stack: LocalStack, server: MailServer, ledger: Ledger, address: str
) -> None:
    def kill(_: str) -> None:
        stack.kill_program("mailer")
        arrives_once(server, address)

    ledger.run("kill -9 of the mailer as the group ends", lambda _: None, then=kill, email=address, notify="true")
