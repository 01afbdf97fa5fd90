"""Attempts to fetch originals, from the message that asks for one to what the record says. Independent of Celery."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import structlog
from darkroom_contracts.messages import FetchImage, Message
from darkroom_contracts.problems import ProblemCode
from darkroom_imaging.errors import ImageError
from darkroom_imaging.limits import Limits
from darkroom_records.blobs import BlobStorage, group_blobs
from darkroom_records.groups import Fetch, GroupStore, SendDated
from darkroom_runtime.redis_client import insist

from darkroom_outbound.client import Client
from darkroom_outbound.errors import FetchError, HostBusyError
from darkroom_outbound.originals import fetch_original
from darkroom_outbound.retry_policy import RetryPolicy

FAILURES = "fetch_failures"
"""The message header that says how many attempts have failed."""

Answer = TypeVar("Answer")

_NONE: Mapping[str, Any] = MappingProxyType({})
_log = structlog.get_logger(__name__)


class Sender(Protocol):
    """Sends a message. One that is lost is sent again by whoever looks through the records."""

    def __call__(
        self,
        message: Message,
        *,
        countdown: float = 0,
        headers: Mapping[str, Any] = _NONE,
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Fetches:
    """Fetch originals, and record what became of each, whatever happens. Shared by threads.

    Args:
        groups: the records.
        storage: where originals go.
        client: sends requests.
        limits: how large an image may be.
        policy: when what failed is tried again.
        send: sends messages.
        send_all: sends the messages of images whose turn it is.
        worker: the name under which this process keeps its heartbeat.
        timeout: seconds for fetching one file.
    """

    groups: GroupStore
    storage: BlobStorage
    client: Client
    limits: Limits
    policy: RetryPolicy
    send: Sender
    send_all: SendDated
    worker: str
    timeout: float

    def run(self, group_id: str, index: int, *, failures: int) -> None:
        """Fetch the original of an image, if the record says so.

        Args:
            group_id: the group.
            index: the image.
            failures: how many attempts have failed before.
        """
        fetch = self._insist(lambda: self.groups.begin_fetch(group_id, index, worker=self.worker, delivery=0))
        if fetch is None:
            _log.info("fetch_skipped", group_id=group_id, index=index)
            return
        try:
            fetch_original(fetch, self.storage, client=self.client, limits=self.limits, seconds=self.timeout)
        except HostBusyError as error:
            self._again(fetch, error.wait, failures)
        except ImageError as error:
            self._fail(fetch, str(error), error.code)
        except (FetchError, OSError) as error:
            self._failed(fetch, error, failures + 1)
        except Exception:  # noqa: BLE001  # the last resort: else the image would wait for a service that is not at work
            _log.exception("fetch_failed_unexpectedly", group_id=group_id, index=index)
            self._fail(fetch, "Fetching the image failed unexpectedly.", ProblemCode.INTERNAL_ERROR)
        else:
            self._fetched(fetch)

    def _fetched(self, fetch: Fetch) -> None:
        turns = self._insist(lambda: self.groups.fetched(fetch))
        if turns is not None:
            turns.send(self.send_all)
        elif not self.groups.exists(fetch.group_id):
            self.storage.delete_all(group_blobs(fetch.group_id))  # it was erased meanwhile, so nothing may be left

    def _failed(self, fetch: Fetch, error: FetchError | OSError, failures: int) -> None:
        wait = self.policy.next_wait(error, failures)
        if wait is None:
            self._fail(fetch, *self.policy.reason(error, failures))
            return
        _log.info("fetch_postponed", group_id=fetch.group_id, index=fetch.index, failures=failures, reason=str(error))
        self._again(fetch, wait, failures)

    def _again(self, fetch: Fetch, wait: float, failures: int) -> None:
        """Release an image, and send it to the queue again for later: others need the thread."""
        if self._insist(lambda: self.groups.release(fetch, seconds=wait)):
            self.send(FetchImage(fetch.group_id, fetch.index), countdown=wait, headers={FAILURES: failures})

    def _fail(self, fetch: Fetch, reason: str, code: ProblemCode) -> None:
        _log.info("fetch_failed", group_id=fetch.group_id, index=fetch.index, code=code, reason=reason)
        ended = self._insist(lambda: self.groups.fail_fetch(fetch, reason, code))
        ended.announce(fetch.group_id, fetch.index, self.send, self.send_all)

    def _insist(self, call: Callable[[], Answer]) -> Answer:
        """Call the group store, again and again while Redis is full or read-only."""
        return insist(call, seconds=self.timeout)
