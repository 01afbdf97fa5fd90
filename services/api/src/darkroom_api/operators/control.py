"""Workers and queues at one moment."""

import time
from datetime import UTC, datetime

from darkroom_records.control import QueueSnapshot, Snapshot
from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from darkroom_api.http.api_keys import asks_for_admin_key
from darkroom_api.http.bodies import as_json
from darkroom_api.http.openapi import NEEDS_ADMIN_KEY, OPERATION, answers
from darkroom_api.services import services

blueprint = APIBlueprint("control", __name__, abp_tags=[OPERATION])

_ALONE = "No worker is alive. What is sent in waits until one is started."


class Worker(BaseModel):
    """A worker, by what it said of itself a few seconds before."""

    name: str
    alive: bool = Field(True, description="It gave a sign of life within 15 seconds; who did not is not listed.")
    queues: list[str] = Field(description="Those it watches.")
    concurrency: int = Field(description="Tasks it can run at once.")
    active: int = Field(description="Tasks it runs.")
    reserved: int = Field(description="Tasks it holds ready to run.")
    scheduled: int = Field(description="Tasks it holds for later.")


class Queue(BaseModel):
    """A queue."""

    name: str
    length: int = Field(description="Messages in it.")
    waiting: int = Field(0, description="What waits for it: messages, and images whose owner's turn has not come.")
    consumers: int = Field(description="Living workers that watch it.")
    oldest_seconds: float | None = Field(
        description="For how long whatever waits longest for it has, where that is known."
    )


class Totals(BaseModel):
    """Sums over all workers and queues."""

    workers: int
    concurrency: int
    active: int
    reserved: int
    scheduled: int
    waiting: int = Field(description="What waits for all queues.")
    running_groups: int = Field(description="Groups that have not ended.")


class Control(BaseModel):
    """Workers and queues at one moment."""

    as_of: datetime
    age_seconds: float = Field(ge=0, description="How long ago that was.")
    alive: bool = Field(description="Whether there is any worker.")
    note: str | None = Field(description="What needs someone's attention.")
    workers: list[Worker]
    queues: list[Queue]
    totals: Totals

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Control":
        return cls(
            as_of=datetime.fromtimestamp(snapshot["as_of"], UTC),
            age_seconds=round(max(time.time() - snapshot["as_of"], 0.0), 3),
            alive=bool(snapshot["workers"]),
            note=_note(snapshot),
            workers=[Worker(**worker) for worker in snapshot["workers"]],
            queues=[Queue(**queue) for queue in snapshot["queues"]],
            totals=Totals(**snapshot["totals"]),
        )


@blueprint.get(
    "/control", operation_id="getControl", security=NEEDS_ADMIN_KEY, responses=answers({200: Control}, 401, 503)
)
@asks_for_admin_key
def control() -> Response:
    """Workers and queues, in a snapshot that is taken at most every ten seconds and asks nothing of any worker."""
    response = as_json(Control.of(services().control.latest()))
    response.cache_control.no_store = True
    return response


def _note(snapshot: Snapshot) -> str | None:
    if not snapshot["workers"]:
        return _ALONE
    unwatched = [_sentence(queue) for queue in snapshot["queues"] if not queue["consumers"]]
    return " ".join(unwatched) or None


def _sentence(queue: QueueSnapshot) -> str:
    number = queue.get("waiting", queue["length"])  # an older version has kept none
    waiting = f"{number} message{' waits' if number == 1 else 's wait'}"
    return f"No living worker watches the queue `{queue['name']}`, in which {waiting}."
