"""What the documents name exists, and what exists is named."""

import re
import subprocess
from pathlib import Path

import pytest
from darkroom_api.settings import ApiSettings
from darkroom_contracts.problems import ProblemCode
from darkroom_flower.settings import FlowerSettings
from darkroom_mailer.settings import MailerSettings
from darkroom_maintenance.settings import MaintenanceSettings
from darkroom_scheduler.settings import SchedulerSettings
from darkroom_worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#]+?)(?:#[^)]*)?\)")
SET_BY_COMPOSE = {"REDIS_URL", "STORAGE_DIR", "FLOWER_DIR", "API_HOST", "API_PORT"}
"""Where services find each other and their files, which is nobody's to choose in containers."""
TARGET = re.compile(r"`(?:[A-Z]+=\S+ )*make ([a-z-]+)|^(?:[A-Z]+=\S+ )*make ([a-z-]+)", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_to_files_that_exist(document: Path) -> None:
    links = [link for link in LINK.findall(document.read_text()) if "://" not in link]
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_the_commands_of_make_exist(document: Path) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {first or second for first, second in TARGET.findall(document.read_text())}
    assert named <= known


def test_every_problem_is_explained_and_no_others() -> None:
    explained = re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs" / "problems.md").read_text(), re.MULTILINE)
    assert set(explained) == {code.value for code in ProblemCode}


def test_settings_are_named_alike_in_the_example_and_in_compose() -> None:
    example = set(re.findall(r"^#?\s?(DARKROOM_[A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    compose = set(re.findall(r"\$\{(DARKROOM_[A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    assert compose - example == set()
    assert example - compose == set()


def test_every_setting_of_a_service_is_explained() -> None:
    example = set(re.findall(r"^#?\s?DARKROOM_([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    kinds = (ApiSettings, WorkerSettings, MaintenanceSettings, MailerSettings, SchedulerSettings, FlowerSettings)
    known = {name.upper() for kind in kinds for name in kind.model_fields}
    assert known - example == SET_BY_COMPOSE


def test_no_page_shows_a_path_of_a_machine() -> None:
    found = subprocess.run(
        ["git", "grep", "-nE", r"/(home|root|Users)/[a-z]", "--", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.stdout == ""
