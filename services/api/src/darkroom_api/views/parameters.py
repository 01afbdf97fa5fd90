"""What addresses carry."""

from typing import Annotated, Any

from darkroom_contracts.keys import is_group_id
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from darkroom_api.problems import unknown_group


def _of_right_form(text: str) -> str:
    if not is_group_id(text):
        raise unknown_group()
    return text


def _true_or_false(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


GroupId = Annotated[str, AfterValidator(_of_right_form), Field(json_schema_extra={"pattern": "^[0-9a-f]{32}$"})]
Flag = Annotated[bool, BeforeValidator(_true_or_false), Field(strict=True)]


class GroupPath(BaseModel):
    """A group."""

    group_id: GroupId


class ImagePath(GroupPath):
    """An image of a group."""

    index: int = Field(ge=0)
