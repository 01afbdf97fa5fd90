"""Mails, from the queue through the mailer to the inbox, as its own REST API shows them."""

import io
import re
import zipfile
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests
from support.client import Client
from support.pictures import encode, photograph
from support.waiting import wait_for

from compose.system import ComposeSystem

pytestmark = pytest.mark.compose

LIMIT = 60


@pytest.fixture
def inbox(system: ComposeSystem) -> str:
    """Where the inbox is to be reached."""
    return system.url("inbox", 1080)


@pytest.fixture
def address() -> str:
    """An address that nobody has written to."""
    return f"{uuid4().hex}@example.org"


def mail_to(inbox: str, address: str) -> Any:
    """The one mail to an address, once it has come."""

    def found() -> list[Any]:
        mails = requests.get(f"{inbox}/email", timeout=10).json()
        return [mail for mail in mails if address in [recipient["address"] for recipient in mail["to"]]]

    mails = wait_for(found, limit=LIMIT, what=f"the mail to {address}")
    assert len(mails) == 1
    return mails[0]


def files_attached(inbox: str, mail: Any) -> dict[str, bytes]:
    """The files in the one archive that is attached to a mail, by name."""
    (attachment,) = mail["attachments"]
    assert attachment["contentType"] == "application/zip"
    name = quote(attachment["generatedFileName"])
    response = requests.get(f"{inbox}/email/{mail['id']}/attachment/{name}", timeout=10)
    response.raise_for_status()
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_results_of_a_group_are_mailed_at_its_end_as_one_zip(client: Client, inbox: str, address: str) -> None:
    pictures = {f"{number}.jpg": encode(photograph(seed=number)) for number in range(3)} | {"note.txt": b"no image"}
    response = client.post_files(pictures, [{"op": "blur", "radius": 3}], email=address, notify="true")
    assert response.status_code == 202, response.text
    group_id = response.json()["group_id"]
    client.wait(group_id)
    mail = mail_to(inbox, address)
    assert mail["subject"] == "3 of 4 images ready, 1 failed"
    assert "note.txt" in mail["text"]
    assert files_attached(inbox, mail) == client.archive(group_id)


def test_results_are_mailed_when_they_are_asked_for_and_the_mail_is_a_task(
    client: Client, inbox: str, address: str
) -> None:
    group_id = client.post_files({"one.jpg": encode(photograph())}, [], email=address).json()["group_id"]
    client.wait(group_id)
    mails = [requests.get(f"{client.url}/send_images/{group_id}", timeout=10) for _ in range(2)]
    assert [answer.status_code for answer in mails] == [202, 202]
    assert files_attached(inbox, mail_to(inbox, address)).keys() == {"one.jpg", "manifest.json"}
    task = f"{client.url}/tasks/{mails[1].json()['id']}"
    wait_for(lambda: requests.get(task, timeout=10).json()["successful"], limit=LIMIT, what="the record to say so")


def test_the_link_in_the_question_leads_to_the_button_that_subscribes(client: Client, inbox: str, address: str) -> None:
    requests.post(f"{client.url}/subscribe", data={"email": address}, timeout=10).raise_for_status()
    link = re.search(rf"{client.url}/confirm/\S+", mail_to(inbox, address)["text"])
    assert link is not None
    assert "<button" in requests.get(link[0], timeout=10).text
    assert "You are subscribed" in requests.post(link[0], timeout=10).text
