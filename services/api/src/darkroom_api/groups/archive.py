"""Handing a group's results out together."""

from darkroom_contracts.problems import ProblemCode
from darkroom_records import archive as archives
from flask import Response
from flask_openapi import APIBlueprint, Tag

from darkroom_api import extensions
from darkroom_api.groups.parameters import GroupPath
from darkroom_api.http.openapi import BINARY, answers, content
from darkroom_api.http.problems import Problem

blueprint = APIBlueprint("archive", __name__, abp_tags=[Tag(name="results", description="What became of them")])

_HEADERS = ("Content-Disposition", "Content-Length")


@blueprint.get(
    "/archive/<group_id>",
    operation_id="downloadArchive",
    responses=answers(
        {200: content("The ZIP, with a `manifest.json`", {"application/zip": BINARY}, _HEADERS)}, 404, 409, 503
    ),
)
def archive(path: GroupPath) -> Response:
    """All results of an ended group as one ZIP."""
    group = extensions.groups().read(path.group_id)
    if not group.state.is_final:
        left = group.counts.total - group.counts.finished
        raise Problem(
            409,
            f"The group is not done yet, {left} images are left.",
            code=ProblemCode.GROUP_RUNNING,
            headers={"Retry-After": "2"},
        )
    stream = archives.stream(group, extensions.storage())
    response = Response(stream, content_type="application/zip")
    response.content_length = len(stream)
    response.headers["Content-Disposition"] = f"attachment; filename=darkroom-{path.group_id[:8]}.zip"
    response.cache_control.private = True
    return response
