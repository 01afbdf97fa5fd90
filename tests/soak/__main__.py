"""Run the soak: ``make soak SECONDS=600 SEED=1``. Exits with 1 where a promise was broken."""

import argparse
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from darkroom_runtime.redis_client import connect
from darkroom_runtime.settings import Settings
from support.local_stack import LocalStack
from support.mail_server import MailServer

from soak import checks
from soak.clients import SoakClient, originals
from soak.faults import Faults
from soak.history import FINAL, History
from soak.processes import Memory
from soak.receiver import Receiver

SECRET = "whsec_c29haywgc29haywgc29haywgc29haywgc29haw=="
SETTLE = 180.0
"""Seconds in which all must come to rest after the last fault."""


class _PatientStack(LocalStack):
    """A system that may take its time on a machine that is busy."""

    patience = 400.0


def _settings(mail: MailServer) -> dict[str, str]:
    return {
        "DARKROOM_SMTP_PORT": str(mail.port),
        "DARKROOM_WEBHOOK_SECRET": SECRET,
        "DARKROOM_OUTBOUND_ALLOW": "127.0.0.1",
        "DARKROOM_MAIL_LIMIT_PER_CLIENT": "100000/hour",
        "DARKROOM_MAIL_INTERVAL": "5",
        "DARKROOM_MAIL_RETRY_WAIT": "2",
        "DARKROOM_WORKER_CONCURRENCY": "2",
    }


def _wait(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + SETTLE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


def _percentiles(times: Sequence[float]) -> str:
    ordered = sorted(times)
    return "/".join(f"{ordered[min(len(ordered) - 1, math.ceil(len(ordered) * q) - 1)]:.2f}" for q in (0.5, 0.95, 0.99))


def _load(arguments: argparse.Namespace, stack: LocalStack, hook: str, history: History, memory: Memory) -> SoakClient:
    """Put the load on, inject faults, and wait until the clients have seen their last groups end."""
    pictures = originals()
    clients = [
        SoakClient(number, arguments.seed, stack.api_url, hook, pictures, history, arguments.largest)
        for number in range(arguments.clients)
    ]
    faults = Faults(stack, history, arguments.seed, pause=arguments.pause)
    for thread in (*clients, faults):
        thread.start()
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        time.sleep(min(2.0, max(0.0, end - time.monotonic())))
        memory.sample()
    faults.over.set()
    faults.join()
    for client in clients:
        client.over.set()
    for client in clients:
        client.join()
    memory.sample()
    return clients[0]


def _ledger(history: History, memory: Memory, duplicates: int, seconds: float, seed: int) -> str:
    states = Counter(state for batch in history.batches for state in batch.states.values())
    accepted = sum(len(batch.originals) for batch in history.batches)
    kept = [batch for batch in history.batches if not batch.deleted]
    lost = sum(len(batch.originals) - sum(state in FINAL for state in batch.states.values()) for batch in kept)
    parts = [
        f"seed={seed} seconds={seconds:.0f} groups={len(history.batches)} accepted={accepted}",
        *(f"{state}={states[state]}" for state in ("succeeded", "failed", "cancelled", "expired")),
        f"lost={lost} duplicates={duplicates} faults={len(history.events)} broken={len(history.broken)}",
        "growth_mb=" + ",".join(f"{name}:{growth:.0f}" for name, growth in sorted(memory.growth.items())),
        "answers=" + ",".join(f"{kind}:{number}" for kind, number in sorted(history.answers.items())),
    ]
    ended = [batch.ended_after for batch in history.batches if batch.ended_after is not None]
    for what, times in [*sorted(history.latencies.items()), ("end", ended)]:
        if times:
            parts.append(f"{what}_p50/95/99={_percentiles(times)}")
    return " ".join(parts)


def main() -> None:
    """Run it, and print the ledger in the last line."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="of load and faults; then all comes to rest")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="of the order of it all")
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--largest", type=int, default=500, help="the most images of one group")
    parser.add_argument("--pause", type=float, default=8, help="seconds between two faults, about")
    arguments = parser.parse_args()
    history, began = History(), time.monotonic()
    print(f"Soak with seed {arguments.seed}, for {arguments.seconds:.0f} s.", flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="darkroom-soak-") as folder,
        MailServer() as mail,
        Receiver(SECRET, originals()) as receiver,
        _PatientStack(Path(folder), _settings(mail)) as stack,
    ):
        memory = Memory(stack)
        client = _load(arguments, stack, receiver.url, history, memory)
        history.happened("the load is over")
        with connect(Settings(redis_url=stack.redis_url)) as redis:
            checks.check_results(history, client)
            checks.check_deleted(history, redis, stack.folder.blobs, _wait)
            duplicates = checks.phantoms(history, redis)
            duplicates += checks.check_webhooks(history, receiver, _wait)
            duplicates += checks.check_emails(history, mail, redis, _wait)
        history.must(not duplicates, f"users saw {duplicates} duplicates")
    print(_ledger(history, memory, duplicates, time.monotonic() - began, arguments.seed), flush=True)
    sys.exit(1 if history.broken else 0)


if __name__ == "__main__":
    main()
