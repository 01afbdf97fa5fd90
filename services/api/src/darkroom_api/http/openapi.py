"""What the OpenAPI document says beside what follows from the models."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from darkroom_contracts.formats import FILE_TYPES, READABLE, WRITABLE
from flask_openapi import APIBlueprint, Info, SecurityScheme, Tag
from flask_openapi.types import ResponseDict
from flask_openapi.utils import parse_body
from pydantic import BaseModel

from darkroom_api.http.api_keys import ADMIN_SCHEME, SCHEME
from darkroom_api.http.problems import MEDIA_TYPE, ProblemDetails

INFO = Info(
    title="Darkroom",
    version=version("darkroom-api"),
    description="Takes batches of images, works on them in the background and hands them back.",
)
SECURITY_SCHEMES: dict[str, SecurityScheme | dict[str, Any]] = {
    SCHEME: {"type": "http", "scheme": "bearer", "description": "One of the keys in `DARKROOM_API_KEYS`."},
    ADMIN_SCHEME: {"type": "http", "scheme": "bearer", "description": "One of the keys in `DARKROOM_ADMIN_KEYS`."},
}
GROUPS = Tag(name="groups", description="Batches of images")
RESULTS = Tag(name="results", description="What became of them")
EMAILS = Tag(name="mail", description="Sending emails")
NEWSLETTER = Tag(name="newsletter", description="The weekly newsletter")
TASKS = Tag(name="tasks", description="Single tasks")
OPERATION = Tag(name="operation", description="For operators and monitors")

NEEDS_KEY: list[dict[str, list[Any]]] = [{SCHEME: []}]
NEEDS_ADMIN_KEY: list[dict[str, list[Any]]] = [{ADMIN_SCHEME: []}]

BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
"""Content that is bytes."""
IMAGE_FILES = ", ".join(FILE_TYPES[form].media_type for form in sorted(READABLE))
"""What a form's files may be."""
IMAGE_CONTENT = {FILE_TYPES[form].media_type: BINARY for form in sorted(WRITABLE)}

_REQUEST_ID = {
    "in": "header",
    "name": "X-Request-ID",
    "description": "A name for the request in this server's log, of 8 to 128 letters, digits, `.`, `_` or `-`. "
    "Without one, the server chooses it. Every answer carries it.",
    "required": False,
    "schema": {"type": "string"},
}
LOCATION = {
    "required": True,
    "description": "Where it can be followed.",
    "schema": {"type": "string", "format": "uri-reference"},
}

_DESCRIPTIONS = {
    400: "Malformed request, or no images",
    401: "API key required",
    403: "Not allowed on this server",
    404: "No such group, image or task",
    409: "Conflicts with the current state",
    412: "The file does not match If-Match",
    413: "Request body too large",
    415: "Unsupported media type",
    416: "Range not satisfiable",
    422: "Validation failed",
    429: "Too many requests for emails or tasks, or too many images waiting",
    500: "Internal server error",
    503: "Queue or storage temporarily unavailable",
    507: "Storage is full",
}


def answers(good: ResponseDict, *problems: int) -> ResponseDict:
    """The documentation of all answers of an endpoint: the good ones, and the problems.

    Every endpoint answers 403 to unknown hosts, 422 to unknown query parameters and 500 to mistakes of its own.
    """
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}}}
    bad: ResponseDict = {
        status: {"description": _DESCRIPTIONS[status], "content": content} for status in (*problems, 403, 422, 500)
    }
    return good | bad


def for_people(documented: ResponseDict) -> ResponseDict:
    """The answers of a page behind a link in an email, which takes whatever parameters mail programs add to it."""
    return {status: answer for status, answer in documented.items() if status != 422}


def json_content(blueprint: APIBlueprint, model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """The documentation of a JSON body that the view reads itself."""
    content, schemas = parse_body(model)
    blueprint.components_schemas |= schemas
    return {"required": required, "content": content}


def complete(document: dict[str, Any]) -> None:
    """Document what holds for every operation: the request's id, the Location of each 201 and 202, Markdown."""
    document["components"]["parameters"] = {"RequestId": _REQUEST_ID}
    for operations in document["paths"].values():
        for operation in operations.values():
            parameters = operation.setdefault("parameters", [])
            parameters.append({"$ref": "#/components/parameters/RequestId"})
            for status in {"201", "202"} & operation["responses"].keys():
                operation["responses"][status]["headers"] = {"Location": LOCATION}
            if "description" in operation:  # flask-openapi joins the lines of a docstring with HTML
                operation["description"] = operation["description"].replace("<br/>", "\n").strip()


def content(description: str, kinds: dict[str, Any], headers: Sequence[str] = ()) -> dict[str, Any]:
    """The documentation of an answer that is not made from a model."""
    named: dict[str, Any] = {name: {"schema": {"type": "string"}} for name in headers}
    return {"description": description, "content": kinds, "headers": named}
