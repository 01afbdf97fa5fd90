"""Flower shows the system as it is."""

import re

import requests
from darkroom_contracts.queues import Queue
from darkroom_local.stack import LocalStack


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
