"""Fetching the original of an image from its URL into storage. Independent of Celery."""

from darkroom_imaging.inspection import inspect
from darkroom_imaging.limits import Limits as ImageLimits
from darkroom_records.blobs import BlobStorage, original_blob
from darkroom_records.groups import Fetch

from darkroom_outbound.client import Client
from darkroom_outbound.fetching import Limits, fetch_file


def fetch_original(fetch: Fetch, storage: BlobStorage, *, client: Client, limits: ImageLimits, seconds: float) -> None:
    """Fetch an image's file, look at it, and store it as the image's original. What is refused is not kept.

    Args:
        fetch: the image, and its URL.
        storage: where originals are kept.
        client: sends the requests.
        limits: of the image.
        seconds: for fetching it.

    Raises:
        FetchError: it cannot be had; the error says whether it may be later.
        ImageError: it is no image that is worked on.
        HostBusyError: its host has enough requests to answer.
        OSError: the storage cannot take it, for now.
    """
    writer = storage.writer()
    try:
        fetch_file(fetch.url, writer.write, client=client, limits=Limits(limits.max_bytes, seconds))
        with writer.read_back() as file:
            inspect(file, limits)
        writer.commit(original_blob(fetch.group_id, fetch.index))
    finally:
        writer.discard()
