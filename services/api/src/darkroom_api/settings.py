"""The settings of the API."""

from pathlib import Path
from typing import Annotated

from darkroom_contracts import limits
from darkroom_records.groups import BacklogLimits
from darkroom_records.links import LinkSettings
from darkroom_records.mail_limits import MailLimitSettings
from darkroom_records.retention import RetentionSettings
from darkroom_records.storage import StorageSettings
from darkroom_records.webhooks import WebhookSettings
from darkroom_runtime.browsers import HostSettings
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    HttpUrl,
    NonNegativeInt,
    PositiveInt,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import NoDecode

from darkroom_api.groups.presets import read_presets
from darkroom_api.http.named_keys import NamedKey, parse_keys
from darkroom_api.uploads.disk_space import check_minimum

FIRST_WORDS = frozenset({
    "add", "archive", "blur", "cancel", "confirm", "control", "docs", "events", "groups", "healthz", "images",
    "metrics", "openapi.json", "operators", "page", "preflight", "presets", "process_images", "readyz", "retry",
    "send_email", "send_images", "static", "status", "subscribe", "tasks", "unsubscribe", "webhook",
})  # fmt: skip
"""What the API's own paths begin with. The path of the public URL begins otherwise, so that the two are told apart."""

Keys = Annotated[tuple[NamedKey, ...], NoDecode, BeforeValidator(parse_keys)]


class ApiSettings(StorageSettings, RetentionSettings, LinkSettings, MailLimitSettings, WebhookSettings, HostSettings):
    """What the API is told beside what every process is told."""

    storage_redirect: bool = Field(
        False, description="Whether clients fetch results from the bucket itself, at addresses that expire."
    )
    api_host: str = Field("127.0.0.1", description="The address to listen on.")
    api_port: int = Field(8000, ge=1, le=65_535, description="The port to listen on.")
    api_workers: PositiveInt = Field(2, description="Processes that answer requests.")
    api_threads: int = Field(16, ge=2, description="Requests that one process answers at the same time.")
    max_streams: PositiveInt = Field(
        300, description="Event streams that one process sends at the same time, each with a thread of its own besides."
    )
    stream_heartbeat: float = Field(
        15.0, gt=0, description="Seconds after which a silent event stream says that it is still there."
    )
    api_keys: Keys = Field(
        (),
        description="Keys that may hand work in, separated by commas, each with a name before a colon if it has one. "
        "Without any key, everybody may.",
    )
    admin_keys: Keys = Field(
        (),
        description="Keys that may see the operators' views, too, separated by commas. Without one, every API key may, "
        "and without any key everybody.",
    )
    presets: Path | None = Field(None, description="A file of presets (TOML).")
    open_metrics: bool = Field(False, description="Whether `/metrics` asks for no key, for a Prometheus within.")
    trusted_proxies: NonNegativeInt = Field(
        0, description="Proxies in front of the API whose `X-Forwarded-For` says who a request is from."
    )
    max_image_bytes: PositiveInt = Field(limits.MAX_IMAGE_BYTES, description="The largest file of one image.")
    max_pixels: int = Field(limits.MAX_PIXELS, ge=1, le=limits.MOST_PIXELS, description="The most pixels of one image.")
    max_keep_for: PositiveInt = Field(
        7 * 24 * 3600, description="The most seconds for which a group can ask that its results are kept."
    )
    max_images: PositiveInt = Field(limits.MAX_IMAGES, description="The most images of one group.")
    max_waiting_images: PositiveInt = Field(
        limits.MAX_WAITING_IMAGES, description="The most images that may wait; beyond, requests are answered with 429."
    )
    max_waiting_images_per_owner: PositiveInt = Field(
        limits.MAX_WAITING_IMAGES_PER_OWNER,
        description="The same of one owner: an API key's name, or a group where there are no keys.",
    )
    max_request_bytes: PositiveInt = Field(limits.MAX_REQUEST_BYTES, description="The largest body of a request.")
    max_json_bytes: PositiveInt = Field(
        64_000_000, description="The largest JSON body of a request, which is held in memory as a whole."
    )
    json_memory: PositiveInt = Field(
        64_000_000,
        description="Bytes of JSON bodies that all processes together work on at the same time; others wait.",
    )
    json_wait: float = Field(
        30.0, gt=0, description="Seconds that a JSON body waits for that, before its request is answered with 503."
    )
    upload_space: PositiveInt = Field(
        4_000_000_000,
        description="Bytes of the disk for bodies until they are worked on. Each process has an equal part of them.",
    )
    min_free_space: Annotated[str, AfterValidator(check_minimum)] = Field(
        "2%",
        description="How much of the disk stays free for work that was accepted, in bytes or as a share: below, images "
        "are refused with 507.",
    )
    keep_uploads: PositiveInt = Field(
        3600, description="Seconds after its last use until an image that was uploaded ahead is dropped."
    )
    max_upload_bytes_per_client: PositiveInt = Field(
        5_000_000_000, description="Bytes of images that one client can have uploaded ahead at the same time."
    )
    max_upload_bytes: PositiveInt = Field(
        20_000_000_000, description="Bytes of images that all clients together can have uploaded ahead."
    )
    max_connections: int = Field(4000, ge=16, description="Connections that one process keeps open at the same time.")
    header_timeout: float = Field(10.0, gt=0, description="Seconds for a request's line and headers to arrive.")
    transfer_timeout: float = Field(
        20.0, gt=0, description="Seconds for which a body or an answer may stand still on its way."
    )
    min_transfer_rate: PositiveInt = Field(
        8000, description="Bytes per second below which a client is given up that sends a body or takes an answer."
    )

    @property
    def backlog_limits(self) -> BacklogLimits:
        """How many images may wait."""
        return BacklogLimits(self.max_waiting_images, self.max_waiting_images_per_owner)

    @property
    def key_names(self) -> frozenset[str]:
        """The names of the API keys."""
        return frozenset(key.name for key in self.api_keys)

    @field_validator("presets")
    @classmethod
    def _can_be_used(cls, path: Path | None, others: ValidationInfo) -> Path | None:
        read_presets(path, frozenset(key.name for key in others.data.get("api_keys", ())))
        return path

    @field_validator("public_url")
    @classmethod
    def _is_told_from_paths_of_the_api(cls, url: HttpUrl) -> HttpUrl:
        first = (url.path or "").strip("/").partition("/")[0]
        if first in FIRST_WORDS:
            raise ValueError(f"its path must not begin with /{first}, as paths of the API do")
        return url
