"""The page: for whoever has photographs and no program at hand."""

from darkroom_contracts.formats import FILE_TYPES, READABLE, WRITABLE
from flask import Blueprint, render_template

from darkroom_api import extensions

blueprint = Blueprint("page", __name__)


@blueprint.get("/")
def page() -> str:
    """A form that sends photographs, and shows how they go and what became of them."""
    return render_template(
        "page.html",
        readable=",".join(FILE_TYPES[form].media_type for form in sorted(READABLE)),
        writable=[form.value for form in sorted(WRITABLE)],
        settings=extensions.settings(),
    )
