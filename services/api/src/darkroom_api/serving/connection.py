"""One client's connection."""

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from gunicorn.http import RequestParser  # type: ignore[import-untyped]  # it ships no types

from darkroom_api.serving.framing import BodyEnd, LengthEnd
from darkroom_api.serving.outgoing import Outgoing
from darkroom_api.serving.received import Received, ReceivedUnreader


class Stage(Enum):
    """What the poller waits for."""

    HEAD = auto()
    BODY = auto()
    ANSWER = auto()
    """That the client takes what it is sent."""
    END = auto()
    """That the client has read the last answer, and closes."""


class Pool(Enum):
    """Which threads a request is run by."""

    PROMPT = auto()
    """Those for requests that are there in whole."""
    PATIENT = auto()
    """Those that may wait for something to happen."""
    LEISURE = auto()
    """One for what can be sent in any number at little cost: heads whose bodies do not follow, requests in advance."""


class Then(Enum):
    """What comes after a thread has done its part, and the client has taken what it was sent so far."""

    BODY = auto()
    WAIT = auto()
    """The request is run again by a thread that may wait."""
    ASK = auto()
    """The application is asked whether it wants the body at all, before that has come in."""
    GO_ON = auto()
    NEXT = auto()
    CLOSE = auto()


@dataclass(slots=True)
class Answer:
    """An answer on its way: gunicorn's response, and what the application has given to be sent with it."""

    response: Any
    given: Any
    items: Iterator[bytes]
    is_written: bool = False

    @property
    def has_begun(self) -> bool:
        """Whether something of it was sent."""
        return bool(self.response.headers_sent)

    def close(self) -> None:
        if hasattr(self.given, "close"):
            self.given.close()


class Connection:
    """A connection, which is either watched by the poller or in the hands of one thread."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, received: Received) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.client = client
        self.server = sock.getsockname()
        self.head = bytearray()
        self.received = received
        self.outgoing = Outgoing(sock)
        self.parser = RequestParser(cfg, iter(()), client)
        self.unreader = self.parser.unreader = ReceivedUnreader(self.received)
        self.stage = Stage.HEAD
        self.deadline = 0.0
        self.ready: Callable[[Connection], None] = Connection.close
        """What the poller calls."""
        self.drained = 0
        self.then = Then.CLOSE
        self.answer: Answer | None = None
        self._begin()

    def _begin(self) -> None:
        self.request: Any = None
        self.end: BodyEnd = LengthEnd(0)
        self.expects_continue = False
        self.is_held_whole = False
        self.pool = Pool.PROMPT
        self.cost = 0

    def next_request(self) -> None:
        """Be ready for another request, of which a part may have come in already."""
        self.head += self.unreader.take_buffered() + self.received.rest()
        self.received.close()
        self._begin()

    def parse(self) -> None:
        """Read the head, which has come in, and see how much of the body is missing."""
        self.unreader.unread(bytes(self.head))
        self.head.clear()
        self.request = next(self.parser)

    def close(self) -> None:
        self.received.close()
        self.sock.close()
