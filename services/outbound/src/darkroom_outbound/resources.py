"""What tasks work with. Opened once by the process and shared by its threads."""

from functools import partial

from darkroom_imaging.limits import Limits
from darkroom_records.groups import GroupStore
from darkroom_records.storage import make_storage
from darkroom_records.webhooks import WebhookStore
from darkroom_runtime.heartbeat import worker_name
from darkroom_runtime.once import once
from darkroom_runtime.redis_client import connect
from darkroom_runtime.sending import try_send, try_send_all
from redis import Redis

from darkroom_outbound.app import app, settings
from darkroom_outbound.client import Client, tls_context
from darkroom_outbound.deliveries import Deliveries
from darkroom_outbound.fetches import Fetches
from darkroom_outbound.guard import Guard
from darkroom_outbound.host_slots import HostSlots
from darkroom_outbound.retry_policy import RetryPolicy


@once
def client() -> Client:
    """What sends requests to strangers."""
    return Client(
        guard=Guard.parse(allow=settings.outbound_allow, hosts=settings.outbound_hosts),
        slots=HostSlots(settings.outbound_per_host),
        tls=tls_context(str(settings.outbound_ca) if settings.outbound_ca else None),
        connect_timeout=settings.outbound_connect_timeout,
        proxy=settings.outbound_proxy.get_secret_value() if settings.outbound_proxy else None,
    )


@once
def redis() -> Redis:
    """Redis, waited for longer than in the API: what became of a request must be written down."""
    return connect(settings, patience=5.0, retries=8)


@once
def fetches() -> Fetches:
    """What fetches originals."""
    return Fetches(
        GroupStore(redis()),
        make_storage(settings),
        client(),
        Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels),
        RetryPolicy(settings.outbound_attempts),
        partial(try_send, app),
        partial(try_send_all, app),
        worker=worker_name(),
        timeout=settings.outbound_timeout,
    )


@once
def deliveries() -> Deliveries:
    """What delivers webhooks."""
    return Deliveries(
        WebhookStore(redis()),
        client(),
        settings.webhook_keys,
        partial(try_send, app),
        worker=worker_name(),
        base=settings.public_base,
        timeout=settings.webhook_timeout,
        max_duration=settings.max_delivery,
    )
