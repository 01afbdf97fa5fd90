"""The settings classes, .env.example and compose.yaml say the same."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from darkroom_api.settings import ApiSettings
from darkroom_flower.settings import FlowerSettings
from darkroom_mailer.settings import MailerSettings
from darkroom_maintenance.settings import MaintenanceSettings
from darkroom_outbound.settings import OutboundSettings
from darkroom_runtime.settings import PREFIX, Settings
from darkroom_scheduler.settings import SchedulerSettings
from darkroom_worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
CLASSES: dict[str, type[Settings]] = {
    "api": ApiSettings,
    "worker": WorkerSettings,
    "maintenance": MaintenanceSettings,
    "scheduler": SchedulerSettings,
    "mailer": MailerSettings,
    "outbound": OutboundSettings,
    "flower": FlowerSettings,
}
COMPOSE_TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)["services"]
EXAMPLE = dict(re.findall(rf"^#({PREFIX}\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
DEFAULTS = re.findall(rf"\$\{{({PREFIX}\w+):-([^${{}}]*)\}}", COMPOSE_TEXT)
"""Each variable that compose.yaml takes from the environment, with the default it gives it."""
NO_FILE = "/dev/null"
"""What compose.yaml mounts in place of a file that is not given."""
OF_THE_IMAGE = {"api_port", "storage_dir", "flower_dir"}
"""Which port and which folders a container has is for its image to say."""
OF_THE_SYSTEM = {"DARKROOM_API_HOST", "DARKROOM_REDIS_URL"}
"""Where containers find each other is for compose.yaml to say."""
ONLY_COMPOSE = {"DARKROOM_SMTP_HOST", "DARKROOM_PRESETS"}
"""Have another default in containers: the inbox, and a file without presets."""


def variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"


def passed_to(service: str) -> set[str]:
    return {name for name in COMPOSE[service]["environment"] if name.startswith(PREFIX)}


@pytest.mark.parametrize("file", sorted(ROOT.glob("compose*.yaml")), ids=lambda file: file.name)
def test_compose_names_nothing_twice(file: Path) -> None:
    # Compose refuses such a file, while PyYAML takes the last.
    mappings = [yaml.compose(file.read_text())]
    while mappings:
        node = mappings.pop()
        if isinstance(node, yaml.MappingNode):
            names = [key.value for key, _ in node.value]
            assert sorted(names) == sorted(set(names))
            mappings += [value for _, value in node.value]


def test_every_service_of_ours_has_settings() -> None:
    assert set(CLASSES) == {
        name for name, service in COMPOSE.items() if "build" in service and "profiles" not in service
    }


@pytest.mark.parametrize("service", CLASSES)
def test_what_is_passed_to_a_service_is_a_setting_of_it(service: str) -> None:
    assert passed_to(service) <= {variable(field) for field in CLASSES[service].model_fields}


@pytest.mark.parametrize("service", CLASSES)
def test_every_setting_of_a_service_is_passed_to_it(service: str) -> None:
    kind = CLASSES[service]
    code = "".join(file.read_text() for file in (ROOT / f"services/{service}/src").rglob("*.py"))
    # Of the settings that every process knows, those that its code reads.
    own = {field for field in kind.model_fields if field not in Settings.model_fields}
    read = {field for field in re.findall(r"settings\.(\w+)", code) if field in kind.model_fields}
    wanted = {"redis_url", "redis_password", "log_level", "log_format"} | own | read
    assert {variable(field) for field in wanted - OF_THE_IMAGE} <= passed_to(service)


def test_everything_that_can_be_set_is_explained() -> None:
    assert set(EXAMPLE) == {name for name, _ in DEFAULTS} | set(re.findall(rf"\$\{{({PREFIX}\w+)", COMPOSE_TEXT))
    assert {name for service in CLASSES for name in passed_to(service)} - OF_THE_SYSTEM <= set(EXAMPLE)


def test_compose_gives_the_defaults_that_are_explained() -> None:
    stated = [(name, default) for name, default in DEFAULTS if default and default != NO_FILE]
    assert stated
    assert not {(name, default) for name, default in stated if EXAMPLE[name] != default}


@pytest.mark.parametrize("service", CLASSES)
def test_the_defaults_that_are_explained_are_those_of_the_settings(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = CLASSES[service]
    for name in EXAMPLE:
        monkeypatch.delenv(name, raising=False)
    by_default = kind().model_dump()
    for name, value in EXAMPLE.items():
        if name not in ONLY_COMPOSE:
            monkeypatch.setenv(name, value)
    assert kind().model_dump() == by_default
