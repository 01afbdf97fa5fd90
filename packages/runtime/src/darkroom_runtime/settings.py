"""Settings: read once from the environment or from secret files, typed, and refused with a sentence when wrong."""

import json
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import quote

from darkroom_contracts.sentences import sentence
from pydantic import Field, RedisDsn, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "DARKROOM_"
SECRETS_DIR = Path("/run/secrets") if Path("/run/secrets").is_dir() else None
"""The folder of secret files, where there is one."""


class Settings(BaseSettings):
    """What every process is told.

    A setting ``redis_url`` is the variable ``DARKROOM_REDIS_URL``, or the file ``/run/secrets/darkroom_redis_url``.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,  # compose passes a variable that is not set as an empty one
        extra="ignore",
        frozen=True,
        secrets_dir=SECRETS_DIR,
    )

    redis_url: RedisDsn = Field(RedisDsn("redis://127.0.0.1:6379/0"), description="The shared Redis.")
    redis_password: SecretStr | None = Field(None, description="Its password, where it asks for one.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    def redis_address(self) -> str:
        """The URL of Redis with the password in it. Keep it out of logs."""
        if self.redis_password is None:
            return str(self.redis_url)
        scheme, address = str(self.redis_url).split("://", 1)
        user, _, host = address.rpartition("@")
        name = user.partition(":")[0]
        return f"{scheme}://{name}:{quote(self.redis_password.get_secret_value(), safe='')}@{host}"


class ConsumerSettings(Settings):
    """What every process that runs tasks is told."""

    stall_timeout: float = Field(
        25.0,
        ge=1,
        le=3600,
        description="Seconds after which a service ends itself, to be started again, that takes no message though some "
        "wait and it has room, or does not begin what it has taken.",
    )


_PLAIN_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/?")


def plain_path(path: str) -> str:
    """Return the path of a URL without a slash at its end: `/darkroom`, or nothing.

    Raises:
        ValueError: it is no path, or has characters that URLs, templates and proxies write in more than one way.
    """
    if not _PLAIN_PATH.fullmatch(path):
        raise ValueError("expected a path such as /darkroom, of letters, digits, dots, dashes, _ and ~")
    return path.rstrip("/")


AnySettings = TypeVar("AnySettings", bound=Settings)


def load(kind: type[AnySettings]) -> AnySettings:
    """Read the settings of this process, or end it with a sentence that names each wrong one."""
    try:
        return kind()
    except ValidationError as error:
        sys.exit("\n".join(_as_log_line(text) for text in describe(error)))


def _as_log_line(text: str) -> str:
    # The logs are not set up yet, since how they are is a setting, too.
    if os.environ.get(f"{PREFIX}LOG_FORMAT") == "console":
        return text
    return json.dumps({"event": text, "level": "critical", "timestamp": datetime.now(UTC).isoformat()})


def describe(error: ValidationError) -> list[str]:
    """Return a sentence for each wrong setting, naming its variable but not its value, which may be a secret."""
    return [
        f"The setting {PREFIX}{'_'.join(map(str, wrong['loc'])).upper()} is wrong: "
        f"{sentence(wrong['type'], wrong.get('ctx', {}))}."
        for wrong in error.errors(include_input=False, include_url=False)
    ]
