"""Flower shows the system as it is."""

import re

import pytest
import requests
from darkroom_contracts.ids import celery_id, task_id
from darkroom_contracts.queues import Queue
from support.api_cases import png
from support.client import Client
from support.local_stack import LocalStack
from support.waiting import wait_for


def listed_queues(stack: LocalStack) -> set[str]:
    page = requests.get(f"{stack.flower_url}/broker", timeout=10)
    page.raise_for_status()
    return set(re.findall(r'<tr id="([^"]+)">', page.text))


def test_flower_lists_every_queue(stack: LocalStack) -> None:
    assert listed_queues(stack) == set(Queue)


def test_flower_lists_a_queue_that_nobody_watches(stack: LocalStack) -> None:
    stack.stop_program("worker")
    stack.stop_program("flower")
    try:
        stack.start_program("flower")
        assert listed_queues(stack) == set(Queue)
    finally:
        stack.start_program("worker")


FOREIGN_HOSTS = ("evil.example", "evil.example:5555", "127.0.0.1.evil.example")


@pytest.mark.parametrize("path", ["/", "/tasks", "/broker", "/api/tasks", "/metrics", "/static/css/flower.css"])
def test_flower_answers_under_no_name_of_others(stack: LocalStack, path: str) -> None:
    for host in FOREIGN_HOSTS:
        answer = requests.get(stack.flower_url + path, headers={"Host": host}, timeout=10)
        assert answer.status_code == 403
        assert "DARKROOM_ALLOWED_HOSTS" in answer.text
        assert "Server" in answer.headers, "it was Flower that answered"


@pytest.mark.parametrize("host", ["localhost:5555", "127.0.0.1", "[::1]:5555", "192.168.1.2:5555"])
def test_flower_answers_under_its_own_names_and_addresses(stack: LocalStack, host: str) -> None:
    assert requests.get(f"{stack.flower_url}/healthcheck", headers={"Host": host}, timeout=10).status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_flower_takes_nothing_from_pages_of_others(stack: LocalStack, headers: dict[str, str]) -> None:
    answer = requests.post(f"{stack.flower_url}/api/worker/shutdown/images@local", headers=headers, timeout=10)
    assert (answer.status_code, answer.text) == (403, "A page of another site sent this request.\n")


def test_flower_shows_no_id_that_opens_results(stack: LocalStack, client: Client) -> None:
    group_id = client.start({"one.png": png()}, [])
    client.wait(group_id)
    task = f"{stack.flower_url}/task/{celery_id(task_id(group_id, 0))}"
    page = wait_for(
        lambda: text if "SUCCESS" in (text := requests.get(task, timeout=10).text) else "",
        limit=30,
        what="Flower to show the task",
    )
    listed = requests.get(f"{stack.flower_url}/api/tasks", timeout=10).text
    workers = requests.get(f"{stack.flower_url}/worker/images@local", timeout=10).text
    for shown in (page, listed, workers):
        assert group_id not in shown
    assert group_id[:8] in page
