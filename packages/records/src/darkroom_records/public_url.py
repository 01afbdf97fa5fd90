"""Where the API is reached from outside: what links in emails and webhooks begin with."""

from typing import Annotated

from darkroom_runtime.settings import Settings, plain_path
from pydantic import AfterValidator, Field, HttpUrl


def _with_a_plain_path(url: HttpUrl) -> HttpUrl:
    if url.query is not None or url.fragment is not None:
        raise ValueError("an address to begin links with has no ? and no #")
    plain_path(url.path or "")
    return url


class PublicUrlSettings(Settings):
    """Settings of a process that tells others where the API is."""

    public_url: Annotated[HttpUrl, AfterValidator(_with_a_plain_path)] = Field(
        HttpUrl("http://127.0.0.1:8000"),
        description="Where the API is reached from outside. It may have a path: `https://example.org/darkroom`.",
    )

    @property
    def public_base(self) -> str:
        """What every link to the API begins with, without a slash at its end."""
        return str(self.public_url).rstrip("/")

    @property
    def public_path(self) -> str:
        """The path of the public URL, without a slash at its end: `/darkroom`, or nothing."""
        return plain_path(self.public_url.path or "")
