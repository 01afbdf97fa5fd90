"""What the documentation points to exists."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from darkroom_runtime.settings import PREFIX

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SETTINGS = {
    *re.findall(rf"{PREFIX}\w+", (ROOT / ".env.example").read_text()),
    f"{PREFIX}STORAGE_DIR",
    f"{PREFIX}REDIS_URL",
    *(f"{PREFIX}{name}" for name in ("URL", "API_KEY", "COMPLETE")),  # the client's own
}
SERVICES = {folder.name for folder in (ROOT / "services").iterdir() if (folder / "pyproject.toml").exists()}
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def anchors(page: Path) -> set[str]:
    """The fragments that lead to the headings of a page, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_pages_are_found() -> None:
    assert {"README.md", "architecture.md", "0001-the-record-is-the-truth.md"} <= {page.name for page in PAGES}


@pages
def test_links_lead_to_files_and_headings_that_exist(page: Path) -> None:
    text = page.read_text()
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text)
    broken = []
    for link in links:
        path, _, fragment = link.partition("#")
        target = page.parent / path if path else page
        if not link.startswith("http") and (not target.exists() or (fragment and fragment not in anchors(target))):
            broken.append(link)
    assert not broken


@pages
def test_paths_of_the_repository_exist(page: Path) -> None:
    paths = re.findall(r"`((?:packages|services|tests|local|bench|docs|requirements)/[\w./*-]*)`", page.read_text())
    assert [path for path in paths if not any(ROOT.glob(path.rstrip("/")))] == []


@pages
def test_commands_of_make_exist(page: Path) -> None:
    text = page.read_text()
    code = [
        *re.findall(r"`([^`\n]+)`", text),
        *re.findall(r"^(?: {4}|\$ )?((?:\w+=\S+ )*make .*)$", text, re.MULTILINE),
    ]
    named = {name for command in code for name in re.findall(r"^(?:\w+=\S+ )*make (?:[A-Z]+=\S+ )*([a-z-]+)", command)}
    assert named <= TARGETS


@pages
def test_settings_exist(page: Path) -> None:
    assert set(re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", page.read_text())) <= SETTINGS


def test_the_table_of_the_readme_has_every_service() -> None:
    rows = dict(
        re.findall(r"^\| \[`(\w+)`\]\(services/\w+\) \| ([^|]+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    )
    assert set(rows) == SERVICES


def test_every_package_of_ours_is_told_of_where_the_house_is_described() -> None:
    architecture = (ROOT / "docs/architecture.md").read_text()
    packages = [tomllib.loads(file.read_text())["project"]["name"] for file in ROOT.glob("packages/*/pyproject.toml")]
    assert packages
    assert [name for name in packages if f"`{name.removeprefix('darkroom-')}`" not in architecture] == []


def test_no_page_shows_a_path_of_a_machine() -> None:
    search = ["git", "grep", "-nE", r"/(home|root|Users)/[a-z]", "--", "*.md"]
    assert subprocess.run(search, cwd=ROOT, capture_output=True, text=True, check=False).stdout == ""
