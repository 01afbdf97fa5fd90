"""API keys and their names: the name says whose work it is, and stays when the secret is changed."""

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

_NAME = re.compile(r"[a-z0-9-]{1,32}")


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A key, and the name of whoever has it. Two keys can have one name, so that one can follow the other."""

    name: str
    secret: SecretStr

    @classmethod
    def parse(cls, text: str) -> "NamedKey":
        """Read `name:secret`, or a secret alone. Its name is then made of its digest: always the same, telling nothing.

        Raises:
            ValueError: the name has another form, or there is no secret. The message does not tell the secret.
        """
        name, colon, secret = text.partition(":")
        if not colon:
            digest = hashlib.sha256(b"the name of a key of darkroom\0" + text.encode()).hexdigest()
            return cls(f"key-{digest[:12]}", SecretStr(text))
        if not _NAME.fullmatch(name) or not secret:
            raise ValueError(
                "a key with a colon is read as name:secret; the name has 1 to 32 lower-case letters, digits or hyphens"
            )
        return cls(name, SecretStr(secret))


def parse_keys(value: Any) -> Any:
    """Read keys that are separated by commas, or given one by one."""
    if isinstance(value, str):
        value = [key.strip() for key in value.split(",") if key.strip()]
    return tuple(NamedKey.parse(_text(key)) if isinstance(key, str | SecretStr) else key for key in value)


def _text(key: str | SecretStr) -> str:
    return key.get_secret_value() if isinstance(key, SecretStr) else key
