"""What addresses carry."""

from typing import Annotated

from darkroom_contracts.ids import is_group_id
from pydantic import AfterValidator, BaseModel, Field

from darkroom_api.http.problems import unknown_group


def _of_right_form(text: str) -> str:
    if not is_group_id(text):
        raise unknown_group()
    return text


GroupId = Annotated[str, AfterValidator(_of_right_form), Field(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]


class GroupPath(BaseModel):
    """A group."""

    group_id: GroupId


class ImagePath(GroupPath):
    """An image of a group."""

    index: int = Field(ge=0)
