"""What must hold once everything has come to rest."""

from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis import Redis
from support.mail_server import MailServer
from support.redis_keys import contents, lasting_keys

from soak.clients import SoakClient, has_ended
from soak.history import Batch, History
from soak.receiver import Receiver

Wait = Callable[[Callable[[], bool]], bool]


def check_results(history: History, client: SoakClient) -> None:
    """Every accepted group has ended, and the same work on the same original has made the same bytes."""
    made: dict[tuple[str, str], set[str]] = defaultdict(set)
    for batch in history.batches:
        if batch.deleted:
            continue
        client.status(batch)
        history.must(has_ended(batch), f"{batch.group_id}: not ended: {batch.states}")
        client.read_results(batch, share=1)
        for index, digest in batch.digests.items():
            made[batch.originals[index], batch.pipeline].add(digest)
    for (original, pipeline), digests in made.items():
        history.must(len(digests) == 1, f"{original[:12]} with {pipeline} gave {len(digests)} different results")


def check_deleted(history: History, redis: Redis, blobs: Path, wait: Wait) -> None:
    """Nothing is left of deleted groups, and nothing is there that no client knows of."""
    deleted = {batch.group_id for batch in history.batches if batch.deleted}

    def left() -> set[str]:
        text = repr(contents(redis)) + " ".join(path.as_posix() for path in blobs.rglob("*"))
        return {group_id for group_id in deleted if group_id in text}

    wait(lambda: not left())
    history.must(not (found := left()), f"deleted, but something is left: {sorted(found)}")


def phantoms(history: History, redis: Redis) -> int:
    """How many groups there are that no client was told of, beyond the requests that were given up."""
    known = {batch.group_id for batch in history.batches}
    prefix = "darkroom:group:"
    there = {key.removeprefix(prefix).partition(":")[0] for key in lasting_keys(redis) if key.startswith(prefix)}
    return max(0, len(there - known) - history.unanswered)


def check_webhooks(history: History, receiver: Receiver, wait: Wait) -> int:
    """Each end of a group was told at least once. Gives how many ends were told under two ids."""
    owed = [batch for batch in history.batches if batch.webhook and not batch.deleted]
    wait(lambda: all(len(receiver.ids[batch.group_id]) >= batch.runs for batch in owed))
    doubled = 0
    for batch in owed:
        told = len(receiver.ids[batch.group_id])
        history.must(told >= batch.runs, f"{batch.group_id}: {told} of {batch.runs} ends were told by webhook")
        if told > batch.runs and not batch.may_have_been_retried:
            doubled += told - batch.runs
    history.must(not receiver.forged, f"{receiver.forged} webhooks had no valid signature")
    return doubled


def check_emails(history: History, mail: MailServer, redis: Redis, wait: Wait) -> int:
    """Each end of a group was emailed once, or its email says that it may be lost. Gives how many came twice."""
    owed = [batch for batch in history.batches if batch.address and not batch.deleted and not _is_cut_off(batch)]
    in_doubt = Counter[str]()

    def missing() -> list[Batch]:
        taken = mail.taken_for()
        in_doubt.clear()
        in_doubt.update(_in_doubt(redis))
        return [batch for batch in owed if not taken.get(batch.address, 0) + in_doubt[batch.address]]

    wait(lambda: not missing())
    for batch in missing():
        history.broke(f"{batch.group_id}: ended, and its results were never emailed to {batch.address}")
    taken = mail.taken_for()
    doubled = 0
    for batch in history.batches:
        asked = batch.runs + batch.may_have_been_retried + 1  # the results were also sent on request, once at most
        doubled += max(0, taken.get(batch.address, 0) - asked) if batch.address else 0
    return doubled


def _is_cut_off(batch: Batch) -> bool:
    return "cancelled" in batch.states.values()


def _in_doubt(redis: Redis) -> list[str]:
    """The addresses of emails whose mailer died while the mail server had them."""
    found: list[str] = []
    for key, record in contents(redis).items():
        if key.startswith("darkroom:mail:") and isinstance(record, dict) and record.get("state") == "failed":
            members: dict[str, Any] = record
            found += [word.strip('[]" ') for word in str(members.get("to", "")).split(",")]
    return found
