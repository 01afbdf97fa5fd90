"""A client that a generator makes of the OpenAPI document works."""

import base64
import importlib
import io
import json
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import requests
from PIL import Image
from support.api_cases import png
from support.live_api import LiveApi, live_api
from support.live_worker import live_worker
from support.redis_server import RedisServer
from support.waiting import wait_for

PACKAGE = "generated_darkroom_client"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveApi]:
    """The API with a worker."""
    storage = tmp_path_factory.mktemp("blobs")
    with (
        RedisServer(tmp_path_factory.mktemp("redis")) as redis,
        live_worker(redis.url, storage),
        live_api(redis.url, storage) as api,
    ):
        yield api


@pytest.fixture(scope="module")
def generated(api: LiveApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that the generator makes."""
    folder = tmp_path_factory.mktemp("client")
    document, config = folder / "openapi.json", folder / "config.json"
    document.write_text(requests.get(f"{api.url}/openapi.json", timeout=10).text)
    config.write_text(json.dumps({"post_hooks": []}))
    options = ["--path", document, "--config", config, "--meta", "none", "--output-path", folder / PACKAGE]
    command = [sys.executable, "-m", "openapi_python_client", "generate", *map(str, options)]
    subprocess.run(command, check=True, cwd=folder, capture_output=True, timeout=120)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module(PACKAGE)
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]


@pytest.mark.slow
def test_every_module_of_a_generated_client_can_be_imported(generated: ModuleType) -> None:
    names = [module.name for module in pkgutil.walk_packages(generated.__path__, f"{PACKAGE}.")]
    assert f"{PACKAGE}.api.groups.process_images" in names
    for name in names:
        importlib.import_module(name)


@pytest.mark.slow
def test_a_generated_client_has_a_batch_processed(api: LiveApi, generated: ModuleType) -> None:
    def operation(name: str) -> Any:
        return importlib.import_module(f"{PACKAGE}.api.{name}")

    models = importlib.import_module(f"{PACKAGE}.models")
    body = models.ProcessImages(
        images=[models.DataItem(base64.b64encode(png(colour)).decode(), name=colour) for colour in ("red", "blue")],
        operations=[
            models.Resize(op="resize", width=4),
            models.Convert(op="convert", format_=models.ConvertFormat.PNG),
        ],
    )
    with generated.Client(api.url) as client:
        accepted = operation("groups.process_images").sync(client=client, body=body)
        assert accepted.total == 2

        def status() -> Any:
            return operation("groups.get_status").sync(accepted.group_id, client=client)

        wait_for(lambda: status().finished_at, limit=60, what="the batch to be processed")
        assert status().state is models.GroupState.COMPLETED
        assert [image.name for image in status().images] == ["red", "blue"]
        result = operation("results.download_image").sync_detailed(accepted.group_id, 1, client=client)
        assert Image.open(io.BytesIO(result.content)).size == (4, 3)
        refusal = operation("groups.cancel_group").sync(accepted.group_id, client=client)
        assert refusal.code is models.ProblemCode.GROUP_ENDED
