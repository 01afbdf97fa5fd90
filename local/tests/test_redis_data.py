"""A server is started on no data that it cannot read: of the other kind, or of a newer version."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from darkroom_local import redis_server
from darkroom_local.redis_server import RedisServerError, refuse_foreign_data
from support.redis_server import RedisServer

REDIS_8_0 = base64.b64decode(
    "UkVESVMwMDEy+glyZWRpcy12ZXIFOC4wLjL6CnJlZGlzLWJpdHPAQPoFY3RpbWXC8qgGa/oIdXNlZC1tZW3CoDwKAPoIYW9mLWJhc2XAAf8TK3Sfevh7gg=="
)
"""The base of an append-only file as Redis 8.0.2 begins it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The server's folder."""
    (tmp_path / "appendonlydir").mkdir()
    return tmp_path


def put_base(folder: Path, data: bytes) -> None:
    (folder / "appendonlydir" / "appendonly.aof.1.base.rdb").write_bytes(data)


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, version: str) -> None:
    """Make it a machine whose server says that it is of this version."""
    program = folder / "server"
    program.write_text(f"#!/bin/sh\necho '{version} sha=00000000:0 malloc=libc bits=64 build=0'\n")
    program.chmod(0o755)
    monkeypatch.setattr(redis_server, "find_server", lambda: program)


def test_what_a_server_has_written_is_read_by_itself(tmp_path: Path) -> None:
    refuse_foreign_data(tmp_path)
    with RedisServer(tmp_path):
        pass
    refuse_foreign_data(tmp_path)


def test_what_the_server_here_has_written_is_not_for_the_other_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisServer(tmp_path):
        pass
    said = subprocess.run([redis_server.find_server(), "--version"], capture_output=True, text=True, check=True).stdout
    kind, other = ("Valkey", "Redis") if said.startswith("Valkey") else ("Redis", "Valkey")
    install(monkeypatch, tmp_path, f"{other} server v=99.0.0")
    with pytest.raises(RedisServerError, match=rf"is of {kind} [\d.]+, and this is {other} 99.0.0, which cannot read"):
        refuse_foreign_data(tmp_path)


@pytest.mark.parametrize("version", ["8.0.0", "8.0.2", "8.2.1", "10.0.0"])
def test_what_redis_has_written_is_read_by_the_same_version_and_newer_ones(
    folder: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    put_base(folder, REDIS_8_0)
    install(monkeypatch, folder, f"Redis server v={version}")
    refuse_foreign_data(folder)


@pytest.mark.parametrize(("written", "version"), [(b"8.0.2", "7.4.9"), (b"8.4.0", "8.0.2"), (b"10.0.", "9.1.0")])
def test_what_a_newer_version_has_written_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, written: bytes, version: str
) -> None:
    put_base(folder, REDIS_8_0.replace(b"8.0.2", written))
    install(monkeypatch, folder, f"Redis server v={version}")
    newer = ".".join(written.decode().split(".")[:2])
    with pytest.raises(RedisServerError, match=rf"of Redis {newer}, .* Use Redis {newer} or newer"):
        refuse_foreign_data(folder)


def test_a_snapshot_by_itself_is_refused_since_the_server_would_start_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dump.rdb").write_bytes(REDIS_8_0)
    install(monkeypatch, tmp_path, "Redis server v=8.0.2")
    with pytest.raises(RedisServerError, match="would start empty"):
        refuse_foreign_data(tmp_path)


@pytest.mark.parametrize("data", [b"", b"REDIS", b"*2\r\n$6\r\nSELECT\r\n", bytes(range(256))])
def test_what_says_nothing_of_its_version_is_left_to_the_server(
    folder: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    put_base(folder, data)
    install(monkeypatch, folder, "Redis server v=8.0.2")
    refuse_foreign_data(folder)


def test_the_system_does_not_start_on_it_and_says_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "redis" / "appendonlydir"
    folder.mkdir(parents=True)
    put_base(tmp_path / "redis", REDIS_8_0.replace(b"8.0.2", b"99.9."))
    command = [sys.executable, "-m", "darkroom_local", "up", "--data", str(tmp_path)]
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert made.returncode == 1
    assert "is of Redis 99.9, and this is " in made.stderr
    assert "Use Redis 99.9 or newer" in made.stderr
    assert "Traceback" not in made.stderr
