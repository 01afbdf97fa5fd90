"""The settings of Flower."""

from pathlib import Path
from typing import Annotated

from darkroom_runtime.browsers import HostSettings
from darkroom_runtime.settings import plain_path
from pydantic import AfterValidator, Field, SecretStr, field_validator


class FlowerSettings(HostSettings):
    """Who may use Flower, and where it keeps what it has seen."""

    flower_login: SecretStr | None = Field(
        None,
        description="`user:password`. Without one, everybody who reaches the port may look, and nobody may touch.",
    )
    flower_path: Annotated[str, AfterValidator(plain_path)] = Field(
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
