"""What keeps two systems from working on one data folder."""

from dataclasses import replace
from pathlib import Path

import pytest
from darkroom_local.folder import Folder
from darkroom_local.leftovers import LeftoverError, refuse_second_redis
from darkroom_local.record import AlreadyRunningError, Record, is_running, lock
from support.local_stack import random_ports
from support.redis_server import RedisServer


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    folder = Folder(tmp_path / "data")
    folder.make()
    return folder


def test_a_folder_is_taken_by_one_system_at_a_time(folder: Folder) -> None:
    with lock(folder):
        assert is_running(folder)
        with pytest.raises(AlreadyRunningError, match=str(folder.root)):
            lock(folder)
    assert not is_running(folder)


def test_the_record_of_a_system_is_found_again(folder: Folder) -> None:
    record = Record(random_ports())
    record.write(folder)
    assert Record.read(folder) == record


def test_a_redis_left_behind_by_a_killed_system_is_not_joined_by_a_second_one(folder: Folder) -> None:
    with RedisServer(folder.redis) as left_behind:
        Record(replace(random_ports(), redis=left_behind.port)).write(folder)
        with pytest.raises(LeftoverError, match=r"Stop it first: kill \d+"):
            refuse_second_redis(folder)
    refuse_second_redis(folder)


def test_a_redis_that_works_elsewhere_is_left_alone(folder: Folder, tmp_path: Path) -> None:
    with RedisServer(tmp_path / "elsewhere") as another:
        Record(replace(random_ports(), redis=another.port)).write(folder)
        refuse_second_redis(folder)
