"""What the outbound service is told."""

from pathlib import Path
from typing import Annotated, Any

from darkroom_contracts import limits
from darkroom_records.public_url import PublicUrlSettings
from darkroom_records.storage import StorageSettings
from darkroom_records.time_limits import FetchTimeSettings
from darkroom_records.webhooks import WebhookSettings
from darkroom_runtime.settings import ConsumerSettings
from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt, SecretStr
from pydantic_settings import NoDecode

from darkroom_outbound.client import tls_context
from darkroom_outbound.guard import Guard
from darkroom_outbound.urls import is_proxy


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _check_allowed(texts: tuple[str, ...]) -> tuple[str, ...]:
    Guard.parse(allow=texts)
    return texts


def _check_hosts(texts: tuple[str, ...]) -> tuple[str, ...]:
    Guard.parse(hosts=texts)
    return texts


def _check_proxy(url: SecretStr) -> SecretStr:
    if not is_proxy(url.get_secret_value()):
        raise ValueError("expected the URL of a proxy, such as http://proxy.example:3128")
    return url


def _check_ca(path: Path) -> Path:
    try:
        tls_context(str(path))
    except OSError:
        raise ValueError("expected a file of certificates in PEM format that can be read") from None
    return path


List = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class OutboundSettings(StorageSettings, FetchTimeSettings, WebhookSettings, PublicUrlSettings, ConsumerSettings):
    """Settings of the outbound service."""

    outbound_concurrency: PositiveInt = Field(16, description="Requests sent at once.")
    outbound_per_host: PositiveInt = Field(
        4, description="Requests sent at once to one host by one container, so that a slow host holds up nobody else."
    )
    outbound_allow: Annotated[List, AfterValidator(_check_allowed)] = Field(
        (),
        description="Hosts and networks that are requested although their addresses are not public, "
        "separated by commas: `nas.local`, `*.intern.example`, `192.168.1.0/24`.",
    )
    outbound_hosts: Annotated[List, AfterValidator(_check_hosts)] = Field(
        (), description="The only hosts that are requested, separated by commas; without any, all public ones."
    )
    outbound_connect_timeout: float = Field(10.0, gt=0, le=600, description="Seconds for opening a connection.")
    outbound_attempts: PositiveInt = Field(
        4, description="Attempts to fetch a file whose server fails or cannot be reached."
    )
    outbound_proxy: Annotated[SecretStr, AfterValidator(_check_proxy)] | None = Field(
        None, description="The URL of an HTTP proxy that all requests go through."
    )
    outbound_ca: Annotated[Path, AfterValidator(_check_ca)] | None = Field(
        None, description="A file of certificates of authorities that are trusted beside the public ones."
    )
    max_image_bytes: PositiveInt = Field(limits.MAX_IMAGE_BYTES, description="The largest file of one image.")
    max_pixels: int = Field(limits.MAX_PIXELS, ge=1, le=limits.MOST_PIXELS, description="The most pixels of one image.")
    webhook_timeout: float = Field(20.0, gt=0, le=600, description="Seconds for delivering a webhook.")

    @property
    def max_delivery(self) -> float:
        """Seconds after which a living service has certainly stopped delivering a webhook."""
        return self.webhook_timeout + 60
