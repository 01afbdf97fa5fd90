"""Taking groups in, cancelling, retrying and emailing them, as plain functions: no application and no request."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from darkroom_api.groups.cancellation import cancel_group
from darkroom_api.groups.retry import retry_group
from darkroom_api.groups.submission import Submission, TakenImage, create_group
from darkroom_api.http.problems import Problem
from darkroom_api.mail.emails import email_results
from darkroom_api.services import Services
from darkroom_api.settings import ApiSettings
from darkroom_api.uploads.staging import Staging
from darkroom_contracts.mail import Address
from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import GroupState
from darkroom_records.groups import Terms
from darkroom_records.mail_limits import MailRequest
from darkroom_runtime.celery_config import make_celery, publisher
from flask import has_app_context
from support.api_cases import finish, png


@pytest.fixture
def services(redis_url: str, tmp_path: Path) -> Iterator[Services]:
    settings = ApiSettings(redis_url=redis_url, storage_dir=tmp_path)
    made = Services.of(settings, make_celery("tests", publisher(settings)))
    yield made
    made.close()


def create(services: Services, count: int = 1) -> str:
    """Make a group of pictures."""
    assert not has_app_context()
    staging = Staging(services.storage, services.settings)
    images = []
    for index in range(count):
        staged = staging.begin()
        staged.write(png())
        staged.complete()
        images.append(TakenImage(f"{index}.png", staged))
    submission = Submission(images, (), Terms())
    group_id = create_group(services, submission, client="tests", key=None, scope="").group_id
    staging.close()
    return group_id


def test_a_group_is_created_and_cancelled(services: Services) -> None:
    group_id = create(services, count=2)
    assert services.groups.read(group_id).state is GroupState.QUEUED
    assert cancel_group(services, group_id).never_started == 2
    assert services.groups.read(group_id).state is GroupState.CANCELLED


def test_what_failed_is_retried_and_nothing_else(services: Services) -> None:
    group_id = create(services, count=2)
    finish(services.groups, services.storage, group_id, 0, png())
    finish(services.groups, services.storage, group_id, 1, None)
    assert list(retry_group(services, group_id, "tests").indices) == [1]
    with pytest.raises(Problem) as refusal:
        retry_group(services, group_id, "tests")
    assert refusal.value.problem_code is ProblemCode.GROUP_RUNNING


def test_results_are_emailed_to_the_address_that_is_given(services: Services) -> None:
    group_id = create(services)
    finish(services.groups, services.storage, group_id, 0, png())
    email_id = email_results(services, group_id, Address("somebody@example.com"), MailRequest("0" * 32, "tests"))
    assert services.outbox.read(email_id)
    assert services.groups.read(group_id).email == "somebody@example.com"
