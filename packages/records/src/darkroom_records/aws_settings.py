"""AWS's own variables, as far as a bucket needs them."""

from pathlib import Path

from darkroom_runtime.settings import SECRETS_DIR
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class AwsSettings(BaseSettings):
    """How a bucket is opened.

    ``access_key_id`` is the variable ``AWS_ACCESS_KEY_ID``, or the file ``/run/secrets/aws_access_key_id``.
    """

    model_config = SettingsConfigDict(
        env_prefix="AWS_", env_ignore_empty=True, extra="ignore", frozen=True, secrets_dir=SECRETS_DIR
    )

    access_key_id: str | None = Field(None, description="The key; without one, the role of the machine is used.")
    secret_access_key: SecretStr | None = Field(None, description="Its secret.")
    session_token: SecretStr | None = Field(None, description="Its session, where it is a temporary one.")
    ca_bundle: Path | None = Field(None, description="Certificate authorities to trust beside the public ones.")
