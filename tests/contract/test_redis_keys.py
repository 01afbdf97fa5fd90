"""What is kept in Redis is named and changed by its owner alone."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

OWNERS = {
    "packages/records/src/darkroom_records/_keys.py",
    "packages/runtime/src/darkroom_runtime/workers.py",
    "services/scheduler/src/darkroom_scheduler/config.py",
}
"""The only files that name keys of Redis."""

_KEY = re.compile(r"\bdarkroom:[a-z{]")


def sources(*folders: str) -> list[str]:
    """The files that make up the system, tests left out, as paths below the root."""
    found = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".lua"}]
    return sorted(path.relative_to(ROOT).as_posix() for path in found if "src" in path.parts)


def commands(code: str) -> list[str]:
    """What is called on a client of Redis, as far as it goes by that name."""
    nodes = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute)]
    return [node.attr for node in nodes if _is_client(node.value) and node.attr != "close"]


def _is_client(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return _is_client(node.func)
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in {"redis", "_redis"} or name.endswith("_redis")


def test_nobody_but_their_owners_names_keys() -> None:
    named = {path for path in sources("packages", "services", "local") if _KEY.search((ROOT / path).read_text())}
    assert named <= OWNERS


def test_tests_reach_the_records_by_their_stores_or_by_names_of_their_own() -> None:
    tests = [
        path for folder in ("packages", "services", "local", "tests") for path in (ROOT / folder).rglob("test*.py")
    ]
    imports = re.compile(r"^from darkroom_records(\._keys import| import .*\b_keys\b)", re.MULTILINE)
    assert [path.name for path in tests if imports.search(path.read_text())] == []


def test_services_give_redis_no_commands_but_for_the_scheduler_s_own_lock() -> None:
    found = {path: commands((ROOT / path).read_text()) for path in sources("services") if path.endswith(".py")}
    assert {path: given for path, given in found.items() if given} == {
        "services/scheduler/src/darkroom_scheduler/health.py": ["exists"]
    }


@pytest.mark.parametrize(
    "code",
    [
        "redis.set('a', 'b')",
        "self._redis.hset('a', 'b', 'c')",
        "extensions.redis().delete('a')",
        "with redis.pipeline() as pipe: pass",
        "services.redis.get('a')",
    ],
)
def test_a_command_is_recognised(code: str) -> None:
    assert commands(code)
