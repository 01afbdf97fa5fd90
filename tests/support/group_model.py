"""What a group store must be, whatever its scripts do: plain Python objects that the real one is compared with."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from darkroom_contracts.states import FINAL_IMAGE_STATES, Counts, ImageState
from darkroom_records.groups import Fetch, Work


@dataclass(eq=False)
class Held:
    """An image that a worker was given, to be processed or fetched."""

    worker: str
    delivery: int
    work: Work | Fetch
    image: "ModelImage"
    is_lost: bool = False
    """Whether it was given to nobody again, because its worker was lost."""


@dataclass(eq=False)
class ModelImage:
    """One image as its owner must see it."""

    group: "ModelGroup"
    index: int
    state: ImageState
    refused: bool = False
    to_fetch: bool = False
    waits: bool = False
    """Whether its turn has not come yet, so that it has no message."""
    is_placed: bool = False
    """Whether it has one of its owner's places in the queue."""
    owner: Held | None = None
    """Who was given it last, and has not let go of it. Nobody else may say what becomes of it."""

    @property
    def is_open(self) -> bool:
        return self.state not in FINAL_IMAGE_STATES


@dataclass(eq=False)
class ModelGroup:
    """One group as its owner must see it."""

    group_id: str
    owner: str | None
    deadline: float | None
    keep_for: int | None
    notify: bool
    webhook: bool
    image_webhooks: bool
    confirmed: bool
    images: list[ModelImage] = field(default_factory=list)
    run: int = 0
    version: int = 0
    to_notify: bool = False
    webhooks_off: bool = False
    owed: set[str] = field(default_factory=set)
    """The names of the webhooks that must still be delivered."""

    @property
    def has_ended(self) -> bool:
        return self.confirmed and not any(image.is_open for image in self.images)

    @property
    def counts(self) -> Counts:
        states = [image.state for image in self.images]
        return Counts(**{state.value: states.count(state) for state in ImageState})

    def owe(self, name: str) -> None:
        """Note that a webhook must be delivered, unless its receiver wants no more."""
        if not self.webhooks_off:
            self.owed.add(name)


@dataclass(eq=False)
class InQueue:
    """A message that waits in a queue."""

    image: ModelImage
    to_fetch: bool
    published_at: float
    delivery: int = 0


class Model:
    """All groups, the messages that wait, and the attempts that workers are at."""

    def __init__(self) -> None:
        self.groups: dict[str, ModelGroup] = {}
        self.queue: list[InQueue] = []
        self.held: list[Held] = []
        self.deleted: list[str] = []

    @property
    def images(self) -> Iterator[ModelImage]:
        for group in self.groups.values():
            yield from group.images

    def placed(self, group: ModelGroup) -> list[ModelImage]:
        """The images of a group's owner that have a place in the queue."""
        return [
            image
            for image in self.images
            if image.is_placed and (image.group is group or (group.owner and image.group.owner == group.owner))
        ]

    def admit(self, group: ModelGroup, published_at: float, *, are_lost: bool) -> None:
        """Let a group be worked on: a message for each image that must be fetched, a turn to wait for for each other
        one, and an end at once where none is to be worked on."""
        group.confirmed = True
        for image in group.images:
            if image.is_open:
                image.waits = not image.to_fetch
                if image.to_fetch and not are_lost:
                    self.queue.append(InQueue(image, True, published_at))
            elif group.image_webhooks:
                group.owe(f"{group.run}.{image.index}")
        self.end_if_done(group)

    def end(self, image: ModelImage, state: ImageState) -> None:
        """End an image."""
        image.state, image.owner, image.waits, image.is_placed = state, None, False, False
        if image.group.image_webhooks:
            image.group.owe(f"{image.group.run}.{image.index}")

    def end_if_done(self, group: ModelGroup) -> None:
        """Note what a group's end brings about."""
        if group.has_ended:
            if group.notify and not group.counts.cancelled:
                group.to_notify = True
            if group.webhook:
                group.owe(str(group.run))

    def give(self, image: ModelImage, worker: str, delivery: int, work: Work | Fetch) -> None:
        """Note that a worker has begun with an image."""
        image.state, image.waits = ImageState.PROCESSING, False
        image.owner = Held(worker, delivery, work, image)
        self.held.append(image.owner)

    def let_wait(self, image: ModelImage) -> None:
        """Note that nobody has an image any more."""
        image.state, image.owner = ImageState.QUEUED, None

    def forget(self, group_id: str) -> None:
        """Forget a deleted group. Messages of it, and attempts at its images, are still on their way."""
        for image in self.groups.pop(group_id).images:
            image.owner = None
        self.deleted.append(group_id)
