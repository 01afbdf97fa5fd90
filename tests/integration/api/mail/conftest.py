"""The API with settings of a test's choice, and its emails in an empty Redis."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address
from darkroom_records.groups import GroupStore, NewImage, Terms
from darkroom_records.mail_limits import MailLimits
from darkroom_records.outbox import EmailRecord, Outbox
from darkroom_records.subscribers import Subscribers
from flask.testing import FlaskClient
from redis import Redis
from support.api_cases import close
from support.redis_keys import open_emails

MakeHttp = Callable[..., FlaskClient]
EndGroup = Callable[..., str]


@pytest.fixture
def make_http(redis: Redis, redis_url: str, storage_dir: Path) -> Iterator[MakeHttp]:
    """Makes an API with some settings of its own."""
    assert redis.dbsize() == 0, "nothing is counted yet"
    with ExitStack() as running:

        def make(**settings: object) -> FlaskClient:
            given = {"redis_url": redis_url, "storage_dir": storage_dir} | settings
            app = create_app(ApiSettings.model_validate(given))
            running.callback(close, app)
            return app.test_client()

        yield make


@pytest.fixture
def http(make_http: MakeHttp) -> FlaskClient:
    """An API that is as it comes."""
    return make_http()


@pytest.fixture
def subscribers(redis: Redis) -> Subscribers:
    """No subscribers."""
    return Subscribers(redis)


@pytest.fixture
def emails(redis: Redis) -> Callable[[], list[EmailRecord]]:
    """All emails that were asked for and have not ended."""

    def read() -> list[EmailRecord]:
        return [Outbox(redis, MailLimits()).read(email_id) for email_id in open_emails(redis)]

    return read


@pytest.fixture
def end_group(groups: GroupStore) -> EndGroup:
    """Makes a group that has ended."""

    def end(email: str | None = "ada@example.org") -> str:
        group_id = new_group_id()
        groups.create(
            group_id, [NewImage("a.png", error="It is no image.")], (), Terms(email=Address(email) if email else None)
        )
        return group_id

    return end
