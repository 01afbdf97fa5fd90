"""A TCP proxy that does to connections what a network can: drop an answer, delay it, freeze, cut off, go silent."""

import select
import socket
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

_CHUNK = 65_536
_TICK = 0.02


class Proxy:
    """Listens on a port of its own and passes on what comes, until it is told to be a bad network.

    Args:
        host: where the server behind it listens.
        port: its port.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._closed = threading.Event()
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._pairs: set[_Pair] = set()
        self._doomed: list[bytes] = []
        self.delay = 0.0
        """Seconds by which every answer comes late."""
        self.dropped = 0
        """How many answers were dropped."""
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._listener.close()
        self.cut()

    def drop_reply(self, word: bytes, times: int = 1) -> None:
        """Pass on the next commands that hold this word, but drop the answer to each, and the connection with it."""
        with self._lock:
            self._doomed += [word] * times

    def pass_everything(self) -> None:
        """Be a good network again."""
        with self._lock:
            self._doomed.clear()
        self._flowing.set()

    def cut(self) -> None:
        """End all connections."""
        with self._lock:
            for pair in self._pairs:
                pair.end()

    def silence(self, word: bytes, *, commands: bool = True, answers: bool = True) -> int:
        """Pass nothing on any more over the connections whose last command holds this word, and close none of them.

        What comes is taken and thrown away, so that neither side notices. New connections are served as before.

        Args:
            word: such as ``BRPOP``, with which a worker waits for messages.
            commands: lose what the client sends.
            answers: lose what the server sends. One of the two alone is a network cut from one side.

        Returns:
            How many connections it has struck.
        """
        with self._lock:
            struck = [pair for pair in self._pairs if word in pair.last_command]
            for pair in struck:
                pair.lost = {end for end, loses in ((pair.client, commands), (pair.server, answers)) if loses}
            return len(struck)

    def freeze(self) -> None:
        """Be as in ``frozen``, until everything is passed again."""
        self._flowing.clear()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Pass nothing on in either direction, and drop nothing: it all arrives afterwards."""
        self.freeze()
        try:
            yield
        finally:
            self._flowing.set()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), name="proxied", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._server, timeout=10)
        except OSError:
            client.close()
            return
        pair = _Pair(client, server)
        with self._lock:
            self._pairs.add(pair)
        try:
            self._carry(pair)
        except (OSError, ValueError):
            pass  # one of the two has gone
        finally:
            with self._lock:
                self._pairs.discard(pair)
            pair.end()

    def _carry(self, pair: "_Pair") -> None:
        while not self._closed.is_set():
            for source in select.select([pair.client, pair.server], [], [], _TICK)[0]:
                self._flowing.wait()
                data = source.recv(_CHUNK)
                if not data:
                    return
                if source is pair.client:
                    pair.last_command = data
                if source in pair.lost:
                    continue
                if source is pair.server:
                    self._closed.wait(self.delay)
                    pair.client.sendall(data)
                    continue
                pair.server.sendall(data)
                if self._is_doomed(data):
                    pair.server.recv(_CHUNK)  # the server has done it, and says so to nobody
                    self.dropped += 1
                    return

    def _is_doomed(self, data: bytes) -> bool:
        with self._lock:
            word = next((word for word in self._doomed if word in data), None)
            if word is not None:
                self._doomed.remove(word)
            return word is not None


@dataclass(eq=False)
class _Pair:
    """A client's connection, and the one to the server that goes with it."""

    client: socket.socket
    server: socket.socket
    last_command: bytes = b""
    lost: Collection[socket.socket] = ()
    """Those of the two whose words are not passed on."""

    def end(self) -> None:
        self.client.close()
        self.server.close()
