"""What a client is sent, and has not taken yet."""

import os
import socket
from collections import deque
from dataclasses import dataclass
from typing import IO


@dataclass(slots=True)
class _FilePart:
    number: int
    offset: int
    count: int


class Outgoing:
    """What gunicorn takes for the client's socket while it answers. Nothing here ever waits.

    What the socket does not take at once is kept, and sent by ``flush`` whenever it takes more.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._left: deque[memoryview | _FilePart] = deque()

    def is_behind(self) -> bool:
        """Whether the client has yet to take something."""
        return bool(self._left)

    def flush(self) -> int:
        """Send what the socket takes, and tell how many bytes those were."""
        sent = 0
        try:
            while self._left:
                part = self._left[0]
                sent += self._send_file(part) if isinstance(part, _FilePart) else self._send_bytes(part)
        except BlockingIOError:
            pass
        return sent

    def sendall(self, data: bytes) -> None:
        self._left.append(memoryview(data))
        if len(self._left) == 1:
            self.flush()

    def send(self, data: bytes) -> int:
        self.sendall(data)
        return len(data)

    def sendfile(self, file: IO[bytes], offset: int, count: int) -> None:
        """Send a part of a file, which must stay open until all was taken."""
        self._left.append(_FilePart(file.fileno(), offset, count))
        if len(self._left) == 1:
            self.flush()

    def gettimeout(self) -> float:
        """Say that this does not block, to functions of gunicorn that would see to it otherwise."""
        return 0.0

    def _send_bytes(self, data: memoryview) -> int:
        sent = self._sock.send(data) if data else 0
        if sent == len(data):
            self._left.popleft()
        else:
            self._left[0] = data[sent:]
        return sent

    def _send_file(self, part: _FilePart) -> int:
        if not part.count:
            self._left.popleft()
            return 0
        sent = os.sendfile(self._sock.fileno(), part.number, part.offset, part.count)
        if not sent:
            raise OSError("The file is shorter than it was said to be.")
        part.offset += sent
        part.count -= sent
        return sent
