"""Clients that do what users do, in an order that the seed decides, and check each answer."""

import contextlib
import hashlib
import io
import json
import random
import threading
import time
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from support.pictures import encode, photograph

from soak.history import FINAL, Batch, History

Answer = dict[str, Any]

_PATIENCE = 120.0
"""Seconds for which a request is sent again and again while the server is away."""
_END = 240.0
"""Seconds in which a group must end, however slow the machine and whatever was killed."""
_SIZES = (1, 1, 1, 2, 3, 5, 8, 12, 20, 40)
PIPELINES: tuple[list[Answer], ...] = (
    [],
    [{"op": "blur", "radius": 2}],
    [{"op": "resize", "width": 20}, {"op": "convert", "format": "webp"}],
    [{"op": "grayscale"}, {"op": "convert", "format": "avif", "quality": 50}],
    [{"op": "rotate", "angle": 90}, {"op": "convert", "format": "png"}],
)


class UnavailableError(Exception):
    """The server did not answer for as long as a client waits."""


def originals() -> dict[str, bytes]:
    """The images that are sent, by name. One of them is none."""
    pictures = {f"{n}.jpg": encode(photograph(40 + n, 32, seed=n)) for n in range(8)}
    pictures |= {f"{n}.png": encode(photograph(16 + n, 16, seed=n), "PNG") for n in range(4)}
    return pictures | {"damaged.jpg": b"\xff\xd8\xff\xe0" + b"This is no image." * 4}


class SoakClient(threading.Thread):
    """Hands groups in, one after the other, follows them, and reads what came of them.

    Args:
        number: of this client, and of the order in which it does things.
        seed: of the soak.
        url: of the API.
        hook: the URL of the receiver of webhooks.
        pictures: what it sends.
        history: where it writes down what it saw.
        largest: the most images of one group.
    """

    def __init__(
        self,
        number: int,
        seed: int,
        url: str,
        hook: str,
        pictures: Mapping[str, bytes],
        history: History,
        largest: int,
    ) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self._number, self._url, self._hook, self._pictures = number, url, hook, pictures
        self._history, self._largest = history, largest
        self._random = random.Random(f"client {number} {seed}")
        self._groups = 0
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            try:
                batch = self._submit()
                if batch:
                    self._live(batch)
            except UnavailableError as error:
                self._history.broke(f"{self.name}: {error}")
            except Exception as error:  # noqa: BLE001  # an answer that nobody could make sense of
                self._history.broke(f"{self.name}: {type(error).__name__}: {error}")

    # One request, sent until it is answered.

    def _ask(
        self, what: str, method: str, path: str, *, limit: float = _PATIENCE, **arguments: Any
    ) -> requests.Response:
        end = time.monotonic() + limit
        while time.monotonic() < end:
            began = time.monotonic()
            try:
                answer = requests.request(method, self._url + path, timeout=60, **arguments)
            except requests.RequestException:
                self._history.took(what, time.monotonic() - began, 599)
                time.sleep(0.3)
                continue
            self._history.took(what, time.monotonic() - began, answer.status_code)
            if answer.status_code == 500:
                self._history.broke(f"{method} {path}: {answer.text[:200]}")
            if answer.status_code in (429, 500, 502, 503, 504):
                time.sleep(min(float(answer.headers.get("Retry-After", 0.3)), 2))
                continue
            return answer
        raise UnavailableError(f"{method} {path} was not answered for {_PATIENCE:.0f} s")

    # A group's life.

    def _submit(self) -> Batch | None:
        self._groups += 1
        names = self._choose_images()
        operations = self._random.choice(PIPELINES)
        fields, deadline = self._terms()
        names, sent = self._request(names, operations, fields)
        key = f"{self._number}-{self._groups}-{self._random.random()}"
        try:
            answer = self._hand_in(sent, key)
        except UnavailableError:
            self._history.never_answered()
            raise
        if answer.status_code == 422 and deadline:
            return None  # it had passed when the server was back
        self._history.must(answer.status_code == 202, f"POST /process_images: {answer.status_code} {answer.text[:200]}")
        if answer.status_code != 202:
            return None
        digests = [hashlib.sha256(self._pictures[name]).hexdigest() if name != "damaged.jpg" else "" for name in names]
        batch = Batch(
            answer.json()["group_id"],
            digests,
            json.dumps(operations),
            time.monotonic(),
            address=fields.get("email", ""),
            webhook="webhook_url" in fields,
            deadline=deadline,
        )
        self._history.accept(batch)
        return batch

    def _choose_images(self) -> list[str]:
        size = self._largest if self._random.random() < 0.02 else self._random.choice(_SIZES)
        return ["0.jpg", *(self._random.choice(list(self._pictures)) for _ in range(min(size, self._largest) - 1))]

    def _terms(self) -> tuple[Answer, float | None]:
        """What is asked for a group as a whole, and its deadline."""
        fields: Answer = {}
        if self._random.random() < 0.25:
            fields |= {"email": f"client{self._number}-{self._groups}@example.org", "notify": "true"}
        if self._random.random() < 0.4:
            fields |= {"webhook_url": f"{self._hook}/hook", "webhook_events": self._random.choice(["group", "images"])}
        seconds = self._random.choice([None, None, None, None, 3, 600])
        if not seconds:
            return fields, None
        fields["deadline"] = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
        return fields, time.time() + seconds

    def _request(self, names: list[str], operations: list[Answer], fields: Answer) -> tuple[list[str], Answer]:
        """The names of the images, and a request with them: as files, as uploads, or by URL."""
        way = self._random.random()
        if way < 0.6:
            files = [("images", (f"{n}-{name}", self._pictures[name])) for n, name in enumerate(names)]
            return names, {"files": files, "data": fields | {"operations": json.dumps(operations)}}
        names = [name for name in names if name != "damaged.jpg"][:50]
        items = [self._item(name, by_url=way > 0.8) for name in names]
        return names, {"json": fields | {"images": items, "operations": operations} | self._notify(fields)}

    def _notify(self, fields: Answer) -> Answer:
        return {"notify": True} if "notify" in fields else {}

    def _hand_in(self, sent: Answer, key: str) -> requests.Response:
        """Send the request until it is answered, always under one key."""
        end = time.monotonic() + _PATIENCE
        while True:
            answer = self._ask("submit", "POST", "/process_images", headers={"Idempotency-Key": key}, **sent)
            if answer.status_code != 409:
                return answer
            # The request before it is still under way, or was interrupted.
            if time.monotonic() > end:
                raise UnavailableError(f"a key stood for a request under way for {_PATIENCE:.0f} s")
            time.sleep(1)

    def _item(self, name: str, *, by_url: bool) -> Answer:
        if by_url:
            return {"url": f"{self._hook}/{name}", "name": name}
        answer = self._ask(
            "upload", "POST", "/images", data=self._pictures[name], headers={"Content-Type": "image/jpeg"}
        )
        self._history.must(answer.status_code == 201, f"POST /images: {answer.status_code} {answer.text[:200]}")
        return {"image_id": answer.json()["image_id"], "name": name}

    def _live(self, batch: Batch) -> None:
        if self._random.random() < 0.15:
            time.sleep(self._random.uniform(0, 1))
            self._cancel(batch)
        if self._random.random() < 0.3:
            self._follow_events(batch)
        self._wait_for_end(batch)
        if batch.ended_after is None:
            return
        if self._random.random() < 0.3 and any(state == "failed" for state in batch.states.values()):
            self._retry(batch)
        self.read_results(batch, share=0.3)
        if self._random.random() < 0.3:
            self._archive(batch)
        if batch.address and self._random.random() < 0.3:
            self._ask("send_images", "POST", f"/send_images/{batch.group_id}")
        if self._random.random() < 0.15:
            self._delete_group(batch)

    def _wait_for_end(self, batch: Batch) -> None:
        end = time.monotonic() + _END
        while time.monotonic() < end:
            status = self.status(batch, wait=1)
            if status["finished_at"]:
                return
        self._history.broke(f"{batch.group_id}: has not ended after {_END:.0f} s: {batch.states}")

    def status(self, batch: Batch, **query: int) -> Answer:
        """GET /status, checked against what was seen before."""
        answer = self._ask("status", "GET", f"/status/{batch.group_id}", params=query)
        self._history.must(answer.status_code == 200, f"{batch.group_id}: accepted, but {answer.status_code}")
        answer.raise_for_status()
        status: Answer = answer.json()
        self._history.saw(batch, status)
        return status

    def _follow_events(self, batch: Batch) -> None:
        """Read the stream for a while. What it says never goes back."""
        shares: list[float] = []
        with (
            contextlib.suppress(requests.RequestException),
            requests.get(f"{self._url}/events/{batch.group_id}", stream=True, timeout=(10, 10)) as stream,
        ):
            if stream.status_code != 200:
                return
            for line in stream.iter_lines():
                if line.startswith(b"data:") and line[5:].strip().startswith(b"{"):
                    data = json.loads(line[5:])
                    if "status" in data:
                        shares.append(data["status"])
                if len(shares) > 50:
                    break
        self._history.must(shares == sorted(shares), f"{batch.group_id}: events went back: {shares}")

    def _cancel(self, batch: Batch) -> None:
        batch.cancelled = True
        answer = self._ask("cancel", "POST", f"/cancel/{batch.group_id}")
        if answer.status_code == 409:
            return  # it had ended, or the answer to the first request was lost
        self._history.must(answer.status_code == 200, f"POST /cancel: {answer.status_code} {answer.text[:200]}")
        receipt = answer.json()
        counts = receipt["finished"], receipt["aborted"] + receipt["never_started"]
        status = self.status(batch)
        ended = status["completed"] + status["failed"], status["cancelled"] + status["expired"]
        self._history.must(counts == ended, f"{batch.group_id}: the receipt says {counts}, the status {ended}")
        self._history.must(status["finished_at"], f"{batch.group_id}: cancelled, but not ended")

    def _retry(self, batch: Batch) -> None:
        batch.may_have_been_retried = True
        answer = self._ask("retry", "POST", f"/retry/{batch.group_id}")
        if answer.status_code == 202:
            batch.runs += 1
        self._history.must(answer.status_code in (202, 409), f"POST /retry: {answer.status_code} {answer.text[:200]}")
        self._wait_for_end(batch)

    def read_results(self, batch: Batch, *, share: float) -> None:
        """Read results: their bytes are what the record says, and the same each time."""
        for index, state in batch.states.items():
            if state != "succeeded" or self._random.random() > share:
                continue
            answer = self._ask("result", "GET", f"/images/{batch.group_id}/{index}")
            name = f"{batch.group_id}/{index}"
            self._history.must(answer.status_code == 200, f"{name}: succeeded, but {answer.status_code}")
            digest = hashlib.sha256(answer.content).hexdigest()
            self._history.must(
                answer.headers.get("ETag", "").strip('"') == digest, f"{name}: its bytes are not those of the record"
            )
            self._history.must(batch.digests.setdefault(index, digest) == digest, f"{name}: its bytes have changed")

    def _archive(self, batch: Batch) -> None:
        answer = self._ask("archive", "GET", f"/archive/{batch.group_id}")
        made = [state for state in batch.states.values() if state == "succeeded"]
        if answer.status_code != 200:
            self._history.must(not made, f"{batch.group_id}: no archive, but {answer.status_code}")
            return
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            self._history.must(archive.testzip() is None, f"{batch.group_id}: a damaged archive")
            files = [name for name in archive.namelist() if name != "manifest.json"]
            self._history.must(len(files) == len(made), f"{batch.group_id}: {len(files)} of {len(made)} in the archive")

    def _delete_group(self, batch: Batch) -> None:
        batch.deleted = True
        answer = self._ask("delete", "DELETE", f"/groups/{batch.group_id}")
        # 404 where the answer to the first request was lost.
        self._history.must(answer.status_code in (200, 404), f"DELETE: {answer.status_code} {answer.text[:200]}")
        gone = self._ask("status", "GET", f"/status/{batch.group_id}")
        self._history.must(gone.status_code == 404, f"{batch.group_id}: deleted, but {gone.status_code}")


def has_ended(batch: Batch) -> bool:
    """Whether all images of the group were seen in a final state."""
    return len(batch.states) == len(batch.originals) and all(state in FINAL for state in batch.states.values())
