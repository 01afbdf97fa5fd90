"""The items of a list of images in JSON: each names one image, in one of several ways."""

import re
from typing import Annotated, Any, TypeAlias

from darkroom_contracts.sentences import SENTENCE
from darkroom_imaging.operations import WHOLE, Operations
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

IMAGE_DATA = "image-data"
"""The ``format`` of a string that holds an image."""
IMAGE_URL = "image-url"
"""The ``format`` of a string that is the URL of an image."""

_URL = re.compile(r"(?i)\s*https?://")
_ID = "^[0-9a-f]{32}$"
_IMAGE_ID = re.compile(_ID.strip("^$"))
_EXPECTED = "must be a string, or an object with one of `data`, `url`, `image_id`, or `group_id` and `index`"

ImageText: TypeAlias = Annotated[
    str,
    Field(
        description="A data URI, an image as base64, an `http` or `https` URL, or the `image_id` of an upload.",
        json_schema_extra={"format": IMAGE_DATA},
    ),
]


class _Item(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    name: str | None = Field(None, description="Its file name.")
    operations: Operations | None = Field(None, description="Its own operations, in place of the group's.")


class DataItem(_Item):
    """An image that is sent along."""

    data: Annotated[
        str, Field(description="A data URI, or an image as base64.", json_schema_extra={"format": IMAGE_DATA})
    ]


class UrlItem(_Item):
    """An image that this server fetches. Without a name, it is called as in the path of the URL."""

    url: Annotated[str, Field(description="With `http` or `https`.", json_schema_extra={"format": IMAGE_URL})]


class UploadItem(_Item):
    """An image that was sent ahead (`POST /images`)."""

    image_id: Annotated[str, Field(pattern=_ID)]


class EarlierItem(_Item):
    """An image as it was sent to an earlier group, for as long as that is kept."""

    group_id: Annotated[str, Field(pattern=_ID)]
    index: Annotated[int, Field(ge=0), WHOLE]


ImageItem: TypeAlias = DataItem | UrlItem | UploadItem | EarlierItem
_KINDS = {"data": "data", "url": "url", "image_id": "image_id", "group_id": "group_id", "index": "group_id"}
"""What kind of item each member makes an object, as a tag of its type."""
ITEM_TAGS = frozenset({"text", *_KINDS.values()})


def _kind(item: Any) -> str | None:
    if isinstance(item, str):
        return "text"
    if not isinstance(item, dict):
        return None
    kinds = {_KINDS[member] for member in item if member in _KINDS}
    return kinds.pop() if len(kinds) == 1 else None


AnyItem: TypeAlias = Annotated[
    Annotated[ImageText, Tag("text")]
    | Annotated[DataItem, Tag("data")]
    | Annotated[UrlItem, Tag("url")]
    | Annotated[UploadItem, Tag("image_id")]
    | Annotated[EarlierItem, Tag("group_id")],
    Discriminator(_kind, SENTENCE, "{sentence}", {"sentence": _EXPECTED}),
]


def item_of(text: str) -> ImageItem:
    """The item that a string stands for. What is neither an id nor a URL is taken for an image."""
    if len(text) == 32 and _IMAGE_ID.fullmatch(text):
        return UploadItem.model_construct(image_id=text, name=None, operations=None)
    if _URL.match(text):
        return UrlItem.model_construct(url=text.strip(), name=None, operations=None)
    return DataItem.model_construct(data=text, name=None, operations=None)


def image_id_of(item: str | ImageItem) -> str | None:
    """The upload that an item names, if it names one."""
    if isinstance(item, str):
        return item if len(item) == 32 and _IMAGE_ID.fullmatch(item) else None
    return item.image_id if isinstance(item, UploadItem) else None
