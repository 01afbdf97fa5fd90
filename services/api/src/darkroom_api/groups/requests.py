"""What requests bring."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from darkroom_contracts.formats import Metadata
from darkroom_contracts.mail import MAX_ADDRESS, Address, parse_address
from darkroom_contracts.sentences import SENTENCE
from darkroom_imaging.operations import MAX_OPERATIONS, MAX_OUTPUTS, WHOLE, Blur, Operation, Operations, OutputName
from email_validator import validate_email
from flask_openapi import FileStorage
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue, SkipJsonSchema
from pydantic_core import CoreSchema, PydanticCustomError

from darkroom_api.groups.item_models import AnyItem
from darkroom_api.http.parameters import TextFlag

MAX_WEBHOOK_URL = 2048
"""Characters of a webhook's URL."""

_RADIUS = Blur.model_fields["radius"]
_TIME = re.compile(r"(?i)\d{4}-\d\d-\d\dt\d\d:\d\d:\d\d(\.\d+)?(z|[+-]\d\d:\d\d)")
_NOTIFY_RULE: JsonDict = {
    "anyOf": [
        {"properties": {"notify": {"const": False}}},
        {"required": ["email"], "properties": {"email": {"type": "string"}}},
    ]
}
_RULES: JsonDict = {"allOf": [_NOTIFY_RULE]}  # generators of clients make several types of a bare `anyOf`
"""What is checked beside the schema, as the document says it: notifying takes an address."""
WEBHOOK_RULE: JsonDict = {
    "anyOf": [
        {"properties": {"webhook_events": {"const": "group"}}},
        {"required": ["webhook_url"], "properties": {"webhook_url": {"type": "string"}}},
    ]
}
"""The same where webhooks are enabled: events take a URL."""
PRESET_RULE: JsonDict = {
    "anyOf": [
        {"properties": {"preset": {"type": "null"}}},
        {"not": {"anyOf": [{"required": ["operations"]}, {"required": ["outputs"]}]}},
    ]
}
"""The same where there are presets: one stands alone."""


def mistake(sentence: str) -> PydanticCustomError:
    """A mistake that comes with a sentence of its own."""
    return PydanticCustomError(SENTENCE, "{sentence}", {"sentence": sentence})


def _address(text: str) -> Address:
    try:
        known = validate_email(text, check_deliverability=False, allow_smtputf8=False)
        return parse_address(known.ascii_email or "")
    except ValueError as error:
        raise mistake(str(error).rstrip(".")) from None


EmailAddress: TypeAlias = Annotated[
    Address, AfterValidator(_address), WithJsonSchema({"type": "string", "format": "email", "maxLength": MAX_ADDRESS})
]


def _to_somebody(notify: bool, others: ValidationInfo) -> bool:
    if notify and others.data.get("email") is None:
        raise mistake("needs an `email` to send the results to")
    return notify


def _webhook_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    if not url.isascii() or not url.isprintable() or not has_host or " " in url or "\\" in url:
        raise mistake("is not a valid URL")
    if parts.scheme not in ("http", "https"):
        raise mistake("must be an http or https URL")
    if "@" in parts.netloc:
        raise mistake("must not contain a user name or password; use a token in its path or query")
    return url


def _to_somewhere(events: str, others: ValidationInfo) -> str:
    if events != "group" and others.data.get("webhook_url", "") is None:
        raise mistake("needs a `webhook_url` to send them to")
    return events


WebhookUrl: TypeAlias = Annotated[
    str,
    Field(
        max_length=MAX_WEBHOOK_URL,
        description="Where the group's end is told, by a signed POST (https://www.standardwebhooks.com). Only "
        "addresses of the public internet are sent to, unless the server allows others.",
        json_schema_extra={"format": "uri"},
    ),
    AfterValidator(_webhook_url),
]
_NOTIFY = Field(default=False, description="Whether the results are mailed by themselves when the group ends.")


def _within_the_limit(outputs: dict[str, tuple[Operation, ...]], others: ValidationInfo) -> dict[str, Any]:
    before = others.data.get("operations", ())
    total = len(before) + sum(map(len, outputs.values()))
    if total > MAX_OPERATIONS:
        raise mistake(f"operations and outputs can have at most {MAX_OPERATIONS} operations together, not {total}")
    return outputs


class _NamesApart:
    """Says of an object what its values are, as generators of clients understand it."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core_schema)
        (values,) = schema.pop("patternProperties").values()
        return schema | {"additionalProperties": values}  # flask-openapi drops `propertyNames`: the document adds them


Outputs: TypeAlias = Annotated[
    dict[OutputName, Operations],
    Field(
        min_length=1,
        max_length=MAX_OUTPUTS,
        description="Several results of each image, by their names: `operations` are done once, then those of each "
        f"output. At most {MAX_OPERATIONS} operations together.",
    ),
    AfterValidator(_within_the_limit),
    _NamesApart,
]


def _time(value: Any) -> datetime:
    try:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.fromisoformat(value.upper())
    except ValueError:
        pass  # such as a 31st of June
    raise mistake("must be a time with its offset, such as 2030-01-31T12:00:00Z")


_Time: TypeAlias = Annotated[
    datetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})
]
PresetName: TypeAlias = OutputName
KeepFor: TypeAlias = Annotated[
    int,
    Field(ge=1, description="Seconds after its end for which the results are kept. Otherwise the server decides."),
    WHOLE,
]
Deadline: TypeAlias = Annotated[
    _Time, Field(description="What has not ended by this time (RFC 3339) is given up: it is then `expired`.")
]


_PRESET = "A preset of this server, in place of operations and outputs."


class Members(BaseModel):
    """What is to be done to images, and for whom."""

    model_config = ConfigDict(strict=True, extra="forbid", json_schema_extra=_RULES)

    operations: Operations = Field(
        default=(),
        description="Applied in order. Without any, an image is turned upright, stripped of metadata and re-encoded.",
    )
    outputs: Outputs | None = None
    preset: PresetName | None = Field(None, description=_PRESET)
    metadata: Metadata = Field(
        Metadata.NONE,
        description="What the results keep of their originals' metadata: nothing; author, copyright and licence; or "
        "all that still holds.",
    )
    email: EmailAddress | None = Field(None, description="Where the results can be mailed to.")
    notify: Annotated[bool, AfterValidator(_to_somebody)] = _NOTIFY
    keep_for: KeepFor | None = None
    deadline: Deadline | None = None
    webhook_url: WebhookUrl | None = None
    webhook_events: Annotated[Literal["group", "images"], AfterValidator(_to_somewhere)] = Field(
        "group", description="What is told there: the end of the group, or with `images` that of each image, too."
    )

    @model_validator(mode="after")
    def _has_one_description(self) -> Self:
        if self.preset is not None and self.model_fields_set & {"operations", "outputs"}:
            raise mistake("a preset cannot be combined with operations or outputs")
        return self


class ProcessImages(Members):
    """Images, and what is to be done to them."""

    images: list[AnyItem] = Field(min_length=1)


class ProcessImagesForm(Members):
    """Image files, and what is to be done to them."""

    images: list[FileStorage] = Field(min_length=1)
    outputs: Outputs | SkipJsonSchema[None] = None
    preset: PresetName | SkipJsonSchema[None] = Field(None, description=_PRESET)
    email: EmailAddress | SkipJsonSchema[None] = Field(None, description="Where the results can be mailed to.")
    keep_for: KeepFor | SkipJsonSchema[None] = None
    deadline: Deadline | SkipJsonSchema[None] = None
    webhook_url: WebhookUrl | SkipJsonSchema[None] = None


class BlurMembers(BaseModel):
    """How much to blur, and for whom."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    email: EmailAddress
    radius: Annotated[float, *_RADIUS.metadata] = Field(_RADIUS.default, description=_RADIUS.description)
    notify: TextFlag = _NOTIFY


class BlurForm(BlurMembers):
    """Image files to blur."""

    images: list[FileStorage] = Field(min_length=1)


class IdempotencyHeader(BaseModel):
    """Makes a repeated request harmless."""

    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Of the client's choice. The same request with the same key makes one group within 24 hours.",
    )
