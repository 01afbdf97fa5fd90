"""How the mailer reaches its server: encrypted or not, with a password or without."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from darkroom_contracts.mail import EmailState
from darkroom_mailer.delivery import Delivery
from darkroom_records.outbox import Outbox
from pydantic import SecretStr
from support.mail_server import MailServer

# aiosmtpd does not count a connection that is encrypted from the start.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

Submit = Callable[..., str]
MakeDelivery = Callable[..., Delivery]

LOGIN = {"smtp_user": "darkroom", "smtp_password": SecretStr("s3cret")}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def _trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


@pytest.fixture(params=["starttls", "tls"])
def security(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def secure(certificate: ssl.SSLContext, security: str) -> Iterator[MailServer]:
    with MailServer(certificate, encrypted_from_the_start=security == "tls", login=("darkroom", "s3cret")) as server:
        yield server


@pytest.mark.usefixtures("_trusted")
def test_an_email_goes_over_an_encrypted_connection_with_a_password(
    make: MakeDelivery, secure: MailServer, security: str, submit: Submit
) -> None:
    assert make(smtp_port=secure.port, smtp_security=security, **LOGIN).deliver(submit())
    (received,) = secure.taken
    assert received.encrypted


def test_a_server_with_an_unknown_certificate_gets_no_email(
    make: MakeDelivery, outbox: Outbox, secure: MailServer, security: str, submit: Submit
) -> None:
    email_id = submit()
    assert not make(smtp_port=secure.port, smtp_security=security, **LOGIN).deliver(email_id)
    email = outbox.read(email_id)
    assert email.state is EmailState.QUEUED
    assert "certificate verify failed" in (email.reason or "")
    assert secure.attempts == 0


@pytest.mark.usefixtures("_trusted")
def test_a_wrong_password_keeps_emails_waiting_for_the_right_one(
    make: MakeDelivery, outbox: Outbox, secure: MailServer, security: str, submit: Submit
) -> None:
    email_id = submit()
    wrong = LOGIN | {"smtp_password": SecretStr("wrong")}
    assert not make(smtp_port=secure.port, smtp_security=security, **wrong).deliver(email_id)
    email = outbox.read(email_id)
    assert email.state is EmailState.QUEUED
    assert "let nobody in: 535" in (email.reason or "")
    assert "wrong" not in (email.reason or "")


def test_a_server_without_encryption_gets_no_email_where_it_is_asked_for(
    make: MakeDelivery, outbox: Outbox, server: MailServer, submit: Submit
) -> None:
    email_id = submit()
    assert not make(smtp_security="starttls").deliver(email_id)
    assert outbox.read(email_id).state is EmailState.QUEUED
    assert server.attempts == 0
