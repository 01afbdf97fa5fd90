"""A client of the API, as a user might write one."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import requests

from support.waiting import wait_for

Answer = Mapping[str, Any]
TRANSIENT = (requests.ConnectionError, requests.Timeout)


class Client:
    """Speaks to the API at a base URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def prepare(
        self, files: Mapping[str, bytes], operations: Sequence[Answer], **fields: str
    ) -> requests.PreparedRequest:
        """POST /process_images with files by name, ready to be sent."""
        return requests.Request(
            "POST",
            f"{self.url}/process_images",
            files=[("images", (name, data)) for name, data in files.items()],
            data={"operations": json.dumps(operations), **fields},
        ).prepare()

    def post_files(self, files: Mapping[str, bytes], operations: Sequence[Answer], **fields: str) -> requests.Response:
        """POST /process_images with files by name."""
        with requests.Session() as session:
            return session.send(self.prepare(files, operations, **fields), timeout=60)

    def start(self, files: Mapping[str, bytes], operations: Sequence[Answer]) -> str:
        """Send a batch that must be taken. Gives the group's id."""
        response = self.post_files(files, operations)
        assert response.status_code == 202, response.text
        return str(response.json()["group_id"])

    def status(self, group_id: str, **query: str | int) -> Any:
        """GET /status/{group_id}."""
        response = requests.get(f"{self.url}/status/{group_id}", params=query, timeout=30)
        response.raise_for_status()
        return response.json()

    def wait(self, group_id: str, *, limit: float = 120) -> Any:
        """The status of a group once it has ended; a server that is away for a moment is waited for."""

        def ended() -> Any:
            try:
                answer = self.status(group_id, wait=1)
            except (*TRANSIENT, requests.HTTPError):
                return None
            return answer if answer["finished_at"] else None

        return wait_for(ended, limit=limit, what=f"the end of group {group_id}")

    def result(self, group_id: str, index: int) -> bytes:
        """GET /images/{group_id}/{index}."""
        response = requests.get(f"{self.url}/images/{group_id}/{index}", timeout=30)
        response.raise_for_status()
        return response.content

    def archive(self, group_id: str) -> dict[str, bytes]:
        """The files in GET /archive/{group_id}, by name."""
        response = requests.get(f"{self.url}/archive/{group_id}", timeout=60)
        response.raise_for_status()
        assert int(response.headers["Content-Length"]) == len(response.content)
        with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}
