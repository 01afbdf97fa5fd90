"""Cancelling a group."""

from darkroom_contracts.problems import ProblemCode
from darkroom_contracts.states import GroupState
from darkroom_records.groups import GroupEndedError
from flask import Response
from flask_openapi import APIBlueprint, Tag

from darkroom_api.groups import cancellation
from darkroom_api.groups.parameters import GroupPath
from darkroom_api.groups.receipts import CancelReceipt
from darkroom_api.http.answers import as_json
from darkroom_api.http.openapi import answers
from darkroom_api.http.problems import Problem

blueprint = APIBlueprint("cancel", __name__, abp_tags=[Tag(name="groups", description="Batches of images")])


@blueprint.post(
    "/cancel/<group_id>", operation_id="cancelGroup", responses=answers({200: CancelReceipt}, 404, 409, 503)
)
def cancel(path: GroupPath) -> Response:
    """Cancel a group: what waits never starts, what runs is stopped, results already made stay.

    The answer comes once nobody works on the group any more, commonly within a fraction of a second.
    """
    try:
        cancelled = cancellation.cancel(path.group_id)
    except GroupEndedError:
        raise Problem(
            409, "The group had ended already, so there is nothing to cancel.", code=ProblemCode.GROUP_ENDED
        ) from None
    return as_json(
        CancelReceipt(
            group_id=path.group_id,
            state=GroupState.CANCELLED,
            finished=cancelled.finished,
            aborted=len(cancelled.aborted),
            never_started=cancelled.never_started,
        )
    )
