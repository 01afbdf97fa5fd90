"""The email with a group's results: what is in it, and when it goes out."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from functools import partial
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from darkroom_contracts.ids import new_group_id
from darkroom_contracts.mail import Address, EmailState
from darkroom_contracts.problems import ProblemCode
from darkroom_mailer.delivery import Delivery
from darkroom_mailer.notifications import notify
from darkroom_mailer.settings import MailerSettings
from darkroom_records.blobs import LocalBlobStorage, result_blob
from darkroom_records.groups import Group, GroupStore, NewImage, Outcome, Terms
from darkroom_records.outbox import Outbox, submit_results
from redis import Redis
from support.emails import UNCOUNTED
from support.mail_server import MailServer
from support.redis_keys import group_record, groups_to_notify, make_notification_overdue

GROUP = new_group_id()
MakeDelivery = Callable[..., Delivery]
Notify = Callable[[str], str | None]


@pytest.fixture
def storage(settings: MailerSettings) -> LocalBlobStorage:
    return LocalBlobStorage(settings.storage_dir)


@pytest.fixture
def notify_of(groups: GroupStore, outbox: Outbox, delivery: Delivery) -> Notify:
    """Does what the message at a group's end asks for."""
    return partial(notify, groups=groups, outbox=outbox, deliver=delivery.deliver)


@pytest.fixture
def end_group(groups: GroupStore, storage: LocalBlobStorage) -> Callable[..., None]:
    """Makes a group of these images end, each with the bytes of its result, or with the reason why there is none."""

    def end(
        results: dict[str, bytes | str],
        *,
        email: str = "ada@example.org",
        notify: bool = False,
        keep_for: int | None = None,
    ) -> None:
        images = [NewImage(name) for name in results]
        groups.create(
            GROUP,
            images,
            [{"op": "blur"}],
            Terms(email=Address(email), request_id="request-1", notify=notify, keep_for=keep_for),
        )
        for index, result in enumerate(results.values()):
            work = groups.begin(GROUP, index, worker="images@a/1", delivery=0)
            assert work is not None
            if isinstance(result, str):
                groups.fail(work, result, ProblemCode.DAMAGED_IMAGE)
            else:
                storage.put(result_blob(GROUP, index), result)
                groups.succeed(work, Outcome(format="jpeg", width=1, height=1, bytes=len(result)))

    return end


EndGroup = Callable[..., None]


def ask(groups: GroupStore, outbox: Outbox) -> str:
    group = groups.read(GROUP)
    return submit_results(outbox, group, UNCOUNTED)


def text(message: EmailMessage) -> str:
    return cast("str", cast("EmailMessage", message.get_body(["plain"])).get_content())


def html(message: EmailMessage) -> str:
    return cast("str", cast("EmailMessage", message.get_body(["html"])).get_content())


def test_the_results_are_attached_as_one_archive(
    delivery: Delivery, groups: GroupStore, outbox: Outbox, server: MailServer, end_group: EndGroup
) -> None:
    end_group({"one.png": b"first", "two.png": b"second", "ONE.png": b"third", "bad.png": "It is cut off."})
    delivery.deliver(ask(groups, outbox))
    (received,) = server.taken
    assert received.to == ["ada@example.org"]
    assert received.message["Subject"] == "3 of 4 images ready, 1 failed"
    (attachment,) = received.message.iter_attachments()
    assert attachment.get_content_type() == "application/zip"
    assert attachment.get_filename() == f"darkroom-{GROUP[:8]}.zip"
    with zipfile.ZipFile(io.BytesIO(attachment.get_content())) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    assert files == {"one.jpg": b"first", "two.jpg": b"second", "ONE (2).jpg": b"third"}
    assert [image["file"] for image in manifest["images"]] == ["one.jpg", "two.jpg", "ONE (2).jpg", None]
    assert manifest["images"][3]["error"] == "It is cut off."
    assert manifest["images"][0]["operations"] == [{"op": "blur"}]


def test_the_mail_says_how_long_the_group_itself_is_kept(
    delivery: Delivery,
    groups: GroupStore,
    outbox: Outbox,
    server: MailServer,
    end_group: EndGroup,
    settings: MailerSettings,
) -> None:
    end_group({"one.png": b"first"}, keep_for=400 * 86_400)
    delivery.deliver(ask(groups, outbox))
    (received,) = server.taken
    ended_at = cast("float", groups.read(GROUP).finished_at)
    deleted_at = datetime.fromtimestamp(ended_at + 400 * 86_400, ZoneInfo(settings.time_zone))
    assert f"deleted on {deleted_at:%d %B %Y, %H:%M}" in text(received.message)


def test_the_mail_says_which_image_failed_and_why_in_both_forms(
    delivery: Delivery, groups: GroupStore, outbox: Outbox, server: MailServer, end_group: EndGroup
) -> None:
    end_group({"one.png": b"1", "<b>bad</b>\r\nBcc: x@example.org.png": "It is cut off."})
    delivery.deliver(ask(groups, outbox))
    (received,) = server.taken
    assert "- <b>bad</b> Bcc: x@example.org.png: It is cut off." in text(received.message)
    assert "&lt;b&gt;bad&lt;/b&gt; Bcc: x@example.org.png" in html(received.message)
    assert "<style" not in html(received.message), "mail programs ignore style sheets"
    assert received.message["Bcc"] is None


def test_results_over_the_limit_are_linked_to_and_the_mail_says_until_when(
    make: MakeDelivery, groups: GroupStore, outbox: Outbox, redis: Redis, server: MailServer, end_group: EndGroup
) -> None:
    end_group({"one.png": b"x" * 5000})
    redis.hset(group_record(GROUP), "finished_at", "1795262400")  # 21 November 2026, 12:00 UTC
    make(mail_attach_limit=5000).deliver(ask(groups, outbox))
    (received,) = server.taken
    assert list(received.message.iter_attachments()) == []
    assert received.message["Subject"] == "Your image is ready"
    for form in (text(received.message), html(received.message)):
        assert f"https://darkroom.example.org/archive/{GROUP}" in form
        assert "22 November 2026, 13:00 CET" in form


def test_a_group_without_a_single_result_is_mailed_without_an_archive(
    delivery: Delivery, groups: GroupStore, outbox: Outbox, server: MailServer, end_group: EndGroup
) -> None:
    end_group({"one.png": "Bad.", "two.png": "Worse."})
    delivery.deliver(ask(groups, outbox))
    (received,) = server.taken
    assert received.message["Subject"] == "All 2 images failed"
    assert list(received.message.iter_attachments()) == []
    assert "archive" not in text(received.message)


def test_results_asked_for_twice_are_mailed_once(
    delivery: Delivery, groups: GroupStore, outbox: Outbox, server: MailServer, end_group: EndGroup
) -> None:
    end_group({"one.png": b"1"})
    first = ask(groups, outbox)
    assert ask(groups, outbox) == first
    delivery.deliver(first)
    assert ask(groups, outbox) == first
    assert len(server.taken) == 1


def test_results_whose_mail_failed_can_be_asked_for_again_at_once(
    delivery: Delivery, groups: GroupStore, outbox: Outbox, server: MailServer, end_group: EndGroup
) -> None:
    server.answers = ["554 Not today"]
    end_group({"one.png": b"1"})
    first = ask(groups, outbox)
    delivery.deliver(first)
    second = ask(groups, outbox)
    assert second != first
    delivery.deliver(second)
    assert len(server.taken) == 1


def test_a_group_that_ran_again_can_be_mailed_again(groups: GroupStore, outbox: Outbox, end_group: EndGroup) -> None:
    end_group({"one.png": b"1", "two.png": "The storage did not answer."})
    first = ask(groups, outbox)
    groups.retry(GROUP)
    work = groups.begin(GROUP, 1, worker="images@a/1", delivery=0)
    assert work is not None
    groups.fail(work, "Again.", ProblemCode.DAMAGED_IMAGE)
    assert ask(groups, outbox) != first


def test_a_group_that_runs_again_is_not_mailed_half_done(
    delivery: Delivery, groups: GroupStore, outbox: Outbox, server: MailServer, end_group: EndGroup
) -> None:
    end_group({"one.png": b"1", "two.png": "The storage did not answer."})
    email_id = ask(groups, outbox)
    groups.retry(GROUP)
    delivery.deliver(email_id)
    assert outbox.read(email_id).state is EmailState.CANCELLED
    assert server.attempts == 0


def test_an_email_with_the_results_of_a_deleted_group_is_not_sent(
    delivery: Delivery, groups: GroupStore, outbox: Outbox, end_group: EndGroup, server: MailServer
) -> None:
    end_group({"one.png": b"1"})
    email_id = ask(groups, outbox)
    groups.delete(GROUP)
    delivery.deliver(email_id)
    assert not server.taken


def test_results_that_have_expired_are_not_mailed_and_the_record_says_so(
    delivery: Delivery, groups: GroupStore, storage: LocalBlobStorage, outbox: Outbox, end_group: EndGroup
) -> None:
    end_group({"one.png": b"1"})
    email_id = ask(groups, outbox)
    storage.delete_all(f"groups/{GROUP}/")
    delivery.deliver(email_id)
    email = outbox.read(email_id)
    assert (email.state, email.reason) == (EmailState.FAILED, "The results have expired and were deleted.")


def test_a_group_that_asked_for_it_is_mailed_once_when_it_ends(
    notify_of: Notify, groups: GroupStore, redis: Redis, server: MailServer, end_group: EndGroup
) -> None:
    end_group({"one.png": b"1"}, notify=True)
    make_notification_overdue(redis, GROUP)
    assert groups.overdue_notifications(10) == [GROUP]
    for _ in range(2):
        assert notify_of(GROUP)
    assert groups.overdue_notifications(10) == []
    assert len(server.taken) == 1


def test_a_group_that_just_ended_is_left_to_its_message(groups: GroupStore, end_group: EndGroup) -> None:
    end_group({"one.png": b"1"}, notify=True)
    assert groups.overdue_notifications(10) == []


def test_a_group_that_did_not_ask_or_has_no_address_is_not_mailed(
    notify_of: Notify, redis: Redis, end_group: EndGroup
) -> None:
    end_group({"one.png": b"1"}, email="", notify=False)
    assert groups_to_notify(redis) == []
    assert notify_of(GROUP) is None
    assert notify_of(new_group_id()) is None


def test_a_group_that_ends_anew_while_it_is_mailed_is_mailed_again(
    redis: Redis, groups: GroupStore, outbox: Outbox, end_group: EndGroup
) -> None:
    end_group({"one.png": "It is damaged."}, notify=True)

    def end_anew() -> None:
        groups.retry(GROUP)
        work = groups.begin(GROUP, 0, worker="images@a/1", delivery=0)
        assert work is not None
        groups.succeed(work, Outcome(format="jpeg", width=1, height=1, bytes=1))

    class BusyStore(GroupStore):
        """A store whose group is run again as soon as it was read."""

        def read(self, group_id: str, *, images: bool = True) -> Group:
            group = super().read(group_id, images=images)
            if group.run == 0:
                end_anew()
            return group

    notify_of = partial(notify, groups=BusyStore(redis), outbox=outbox, deliver=lambda *_: True)
    first = notify_of(GROUP)
    assert groups_to_notify(redis) == [GROUP]
    second = notify_of(GROUP)
    assert first != second
    assert groups_to_notify(redis) == []


def test_the_group_of_a_notification_is_read_once(
    notify_of: Notify, server: MailServer, end_group: EndGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_group({"one.png": b"1"}, notify=True)
    found: list[str] = []
    read = GroupStore.read

    def counting(self: GroupStore, group_id: str, *, images: bool = True) -> Group:
        found.append(group_id)
        return read(self, group_id, images=images)

    monkeypatch.setattr(GroupStore, "read", counting)
    assert notify_of(GROUP)
    assert len(server.taken) == 1
    assert found == [GROUP]
