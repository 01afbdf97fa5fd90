"""The web page, for people without a client program."""

from typing import Any

from darkroom_contracts.formats import FILE_TYPES, READABLE, WRITABLE
from darkroom_contracts.queues import Queue
from flask import Blueprint, render_template
from flask_openapi import APIBlueprint
from pydantic import BaseModel

from darkroom_api.http.openapi import GROUPS, answers
from darkroom_api.services import services

_NO_WORKER = "No worker is running. Images wait until one is started."

blueprint = Blueprint("page", __name__)
notices = APIBlueprint("notices", __name__, abp_tags=[GROUPS])


class PageNotice(BaseModel):
    """What users whose images are waiting should know."""

    notice: str | None


@blueprint.get("/")
def page() -> str:
    """Return the page: a form to upload photographs, with their progress and results."""
    settings = services().settings
    return render_template(
        "page.html",
        readable=",".join(FILE_TYPES[form].media_type for form in sorted(READABLE)),
        writable=[form.value for form in sorted(WRITABLE)],
        settings=settings,
        limits={
            "images": f"{settings.max_images:,}",
            "image_megabytes": in_millions(settings.max_image_bytes),
            "megapixels": in_millions(settings.max_pixels),
            "request_megabytes": in_millions(settings.max_request_bytes),
        },
        kept_for=duration(settings.keep_results),
    )


@notices.get("/page/notice", operation_id="getNotice", responses=answers({200: PageNotice}, 503))
def notice() -> dict[str, Any]:
    """A sentence to show to users while no worker is running, else null. Unlike `/control`, it never needs a key."""
    queues = {queue["name"]: queue for queue in services().control.latest()["queues"]}
    return {"notice": None if queues[Queue.IMAGES]["consumers"] else _NO_WORKER}


def in_millions(number: int) -> str:
    """Return the number in millions: 25000000 as `25`, 2500000 as `2.5`, 64000 as `0.064`."""
    return f"{number / 1e6:,.10f}".rstrip("0").rstrip(".")


def duration(seconds: int) -> str:
    """Return the seconds in words, in the largest unit that divides them evenly; one day is 24 hours."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        number, rest = divmod(seconds, length)
        if not rest and (number > 1 or unit != "day"):
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{seconds} seconds"
