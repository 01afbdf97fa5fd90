"""What monitors ask."""

from typing import Literal

from flask import Response
from flask_openapi import APIBlueprint
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from darkroom_api.http.api_keys import require_admin_key
from darkroom_api.http.openapi import NEEDS_ADMIN_KEY, OPERATION, answers, content
from darkroom_api.operators import metrics
from darkroom_api.services import services

METRICS = "/metrics"

blueprint = APIBlueprint("health", __name__, abp_tags=[OPERATION])


class Health(BaseModel):
    """The answer to who asks how the service is."""

    status: str


class Readiness(BaseModel):
    """Whether work can be taken in."""

    status: Literal["ready", "disk_space_low"] = Field(
        description="`disk_space_low`: images are refused with 507 until space was freed; all else goes on."
    )


@blueprint.get("/healthz", operation_id="checkAlive", responses=answers({200: Health}))
def healthz() -> dict[str, str]:
    """Whether this process is alive."""
    return {"status": "alive"}


@blueprint.get("/readyz", operation_id="checkReady", responses=answers({200: Readiness}, 503, 507))
def readyz() -> dict[str, str]:
    """Whether work can be taken in: Redis takes records, and the storage takes files.

    While the disk is low on space, the answer is 200 all the same, since results can be fetched and groups deleted.
    """
    services().groups.check()
    services().storage.check()
    return {"status": "disk_space_low" if services().disk.measure().is_low else "ready"}


@blueprint.get(
    METRICS,
    operation_id="getMetrics",
    security=NEEDS_ADMIN_KEY,
    responses=answers({200: content("Metrics", {"text/plain": {"schema": {"type": "string"}}})}, 401),
)
def prometheus() -> Response:
    """What was counted, for Prometheus. Also while Redis is away: then without what only Redis knows."""
    if not services().settings.open_metrics:
        require_admin_key()
    return Response(metrics.exposition(services().redis, services().disk), content_type=CONTENT_TYPE_LATEST)
