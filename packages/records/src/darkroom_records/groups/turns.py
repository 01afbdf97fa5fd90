"""Images whose turn has come: the step that decides so answers with them, and its caller sends the messages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

from darkroom_contracts.messages import Message, ProcessImage
from darkroom_runtime.logs import bind_request_id


class SendDated(Protocol):
    """Sends messages, dated as if they had been waiting since a Unix time."""

    def __call__(self, messages: Iterable[Message], /, *, published_at: float) -> object: ...


@dataclass(frozen=True, slots=True)
class Turn:
    """An image that is to be sent to the queue, and the request that it was taken in with."""

    group_id: str
    index: int
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Turns:
    """The images whose turn has come, and the Unix time that their messages carry as their ``published_at``.

    They may be of other groups than the one that the step was about. Each is given out once: recovery finds what is not
    sent.
    """

    images: tuple[Turn, ...] = ()
    published_at: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.images)

    @classmethod
    def read(cls, answer: Sequence[Any]) -> "Turns":
        """What a step has answered."""
        published_at, images = answer
        due = (Turn(group_id, int(index), request_id or None) for group_id, index, request_id in images)
        return cls(tuple(due), float(published_at))

    def send(self, send: SendDated) -> None:
        """Send the messages, each for the request that its image was taken in with."""
        for request_id, images in groupby(self.images, key=lambda turn: turn.request_id):
            with bind_request_id(request_id):
                send([ProcessImage(turn.group_id, turn.index) for turn in images], published_at=self.published_at)


NO_TURNS = Turns()
