"""What tasks work with. Opened once by each process that needs it: those of the pool after their fork."""

from functools import partial

from darkroom_imaging.limits import Limits
from darkroom_records.groups import GroupStore
from darkroom_records.storage import make_storage
from darkroom_runtime import allocator
from darkroom_runtime.heartbeat import worker_name
from darkroom_runtime.once import once
from darkroom_runtime.redis_client import connect
from darkroom_runtime.sending import try_send, try_send_all

from darkroom_worker import machine
from darkroom_worker.app import app, settings
from darkroom_worker.attempts import Attempts
from darkroom_worker.memory_budget import MemoryBudget
from darkroom_worker.processing import Processor

# Pillow's blocks have 16 MB at most. The next image would get them page by page, each of which the kernel clears first.
allocator.set_thresholds(mapped=32 * 1024 * 1024, kept=48 * 1024 * 1024)

memory = MemoryBudget(machine.image_bytes(settings.memory, settings.processes))
"""What the processes of the pool share. Made before they are forked."""

send = partial(try_send, app)
"""Sends messages of which the records say the same."""

send_all = partial(try_send_all, app)
"""Sends many of them."""


@once
def groups() -> GroupStore:
    """The records of groups. Redis is waited for longer than in the API: else somebody must send a task again."""
    return GroupStore(connect(settings, patience=5.0, retries=30))


@once
def attempts() -> Attempts:
    """What works on images. Only for the processes of the pool, as it opens the storage."""
    storage = make_storage(settings)
    processor = Processor(
        storage,
        Limits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels),
        memory,
        max_need=machine.image_bytes(settings.memory, 0),
        max_wait=settings.max_memory_wait,
        time_limit=settings.image_time_limit,
    )
    return Attempts(
        groups(),
        storage,
        processor,
        send,
        send_all,
        worker=worker_name(),
        time_limit=settings.image_time_limit,
    )
