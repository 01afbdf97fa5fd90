"""Speaking to supervisor."""

import threading
from concurrent.futures import ThreadPoolExecutor
from socketserver import ThreadingMixIn
from typing import Any
from xmlrpc.server import SimpleXMLRPCRequestHandler, SimpleXMLRPCServer

from darkroom_local.ports import HOST
from darkroom_local.supervision import Control


class Handler(SimpleXMLRPCRequestHandler):
    rpc_paths = ("/RPC2",)
    protocol_version = "HTTP/1.1"  # keeps connections, as supervisor does


class Server(ThreadingMixIn, SimpleXMLRPCServer):
    """Answers as supervisor does, with more than fits into one packet."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((HOST, 0), Handler, logRequests=False)
        self.register_function(self.processes, "supervisor.getAllProcessInfo")

    def processes(self) -> list[dict[str, Any]]:
        names = [f"program-{number}" for number in range(500)]
        return [{"name": name, "statename": "RUNNING", "pid": 1, "start": 0} for name in names]


def test_threads_that_share_it_get_whole_answers() -> None:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        control = Control(server.server_address[1], "secret")
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: control.processes(), range(40)))
        control.close()
        server.shutdown()
    assert [len(answer) for answer in answers] == [500] * 40
