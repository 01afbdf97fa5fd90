"""The settings of Flower."""

import re
from pathlib import Path
from typing import Annotated

from darkroom_runtime.browsers import HostSettings
from pydantic import AfterValidator, Field, SecretStr, field_validator


def _plain_path(path: str) -> str:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", path):
        raise ValueError("expected a path such as /flower, of letters, digits, dots, dashes, _ and ~")
    return path.rstrip("/")


class FlowerSettings(HostSettings):
    """Who may use Flower, and where it keeps what it has seen."""

    flower_login: SecretStr | None = Field(
        None,
        description="`user:password`. Without one, everybody who reaches the port may look, and nobody may touch.",
    )
    flower_path: Annotated[str, AfterValidator(_plain_path)] = Field(
        "", description="What the paths of its pages begin with behind a proxy, such as `/flower`."
    )
    flower_dir: Path = Field(Path("/data"), description="The folder in which Flower keeps what it has seen of tasks.")

    @field_validator("flower_login")
    @classmethod
    def _has_user_and_password(cls, login: SecretStr | None) -> SecretStr | None:
        user, _, password = (login.get_secret_value() if login else "user:password").partition(":")
        if not user or not password:
            raise ValueError("expected user:password")
        return login
