"""The groups of an API key."""

from darkroom_contracts.problems import ProblemCode
from flask import Response
from flask_openapi import APIBlueprint
from pydantic import BaseModel, Field

from darkroom_api.groups.responses import GroupPage, GroupSummary
from darkroom_api.http.api_keys import asks_for_key, owner
from darkroom_api.http.bodies import as_json
from darkroom_api.http.openapi import GROUPS, NEEDS_KEY, answers
from darkroom_api.http.problems import Problem
from darkroom_api.services import services

MAX_PAGE = 100
"""The most groups of one page."""

blueprint = APIBlueprint("listing", __name__, abp_tags=[GROUPS])


class PageQuery(BaseModel):
    """Which page."""

    cursor: float | None = Field(None, gt=0, lt=1e12, description="The `next` of the page before.")
    limit: int = Field(20, ge=1, le=MAX_PAGE, description="How many groups at most.")


@blueprint.get(
    "/groups",
    operation_id="listGroups",
    security=NEEDS_KEY,
    responses=answers({200: GroupPage}, 401, 503),
)
@asks_for_key
def list_groups(query: PageQuery) -> Response:
    """The groups that were submitted with this API key, the newest first. Where there are no keys, it is off (403)."""
    whose = owner()
    if whose is None:
        raise Problem(
            403,
            "Listing groups is disabled until API keys are configured: DARKROOM_API_KEYS.",
            code=ProblemCode.LISTING_DISABLED,
            error="Listing groups is disabled",
        )
    page = services().groups.read_owned(whose, before=query.cursor, limit=query.limit)
    keep_results = services().settings.keep_results
    summaries = [GroupSummary.of_group(group, keep_results=keep_results) for group in page.groups]
    return as_json(GroupPage(groups=summaries, next=repr(page.next) if page.next else None))
