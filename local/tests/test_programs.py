"""What a local system is made of."""

from pathlib import Path

from darkroom_local.folder import Folder
from darkroom_local.ports import Ports
from darkroom_local.programs import environment, programs
from darkroom_local.supervision import write_config

PORTS = Ports(api=8000, flower=5555, redis=6379, smtp=1025, control=9001)


def test_a_user_may_set_what_the_services_read(tmp_path: Path) -> None:
    given = {"DARKROOM_LOG_LEVEL": "debug", "DARKROOM_SMTP_HOST": "mail.example.org"}
    assert given.items() <= environment(Folder(tmp_path), PORTS, given).items()


def test_links_in_mails_lead_to_this_api_unless_the_user_knows_better(tmp_path: Path) -> None:
    assert environment(Folder(tmp_path), PORTS, {})["DARKROOM_PUBLIC_URL"] == "http://127.0.0.1:8000"
    given = {"DARKROOM_PUBLIC_URL": "https://darkroom.example.org"}
    assert given.items() <= environment(Folder(tmp_path), PORTS, given).items()


def test_where_the_programs_find_each_other_is_not_the_users_to_say(tmp_path: Path) -> None:
    given = {"DARKROOM_REDIS_URL": "redis://elsewhere:1/0", "DARKROOM_REDIS_PASSWORD": "of another one"}
    made = environment(Folder(tmp_path), PORTS, given)
    assert made["DARKROOM_REDIS_URL"] == "redis://127.0.0.1:6379/0"
    assert not made["DARKROOM_REDIS_PASSWORD"]


def test_no_folders_name_gets_into_supervisors_configuration(tmp_path: Path) -> None:
    file = tmp_path / "supervisor.conf"
    write_config(file, programs(PORTS), PORTS.control, "secret")
    assert str(Path.home()) not in file.read_text()
    assert str(tmp_path) not in file.read_text()
    assert str(Path(__file__).parents[2]) not in file.read_text()


def test_only_its_owner_reads_the_password_of_supervisor(tmp_path: Path) -> None:
    file = tmp_path / "supervisor.conf"
    write_config(file, programs(PORTS), PORTS.control, "secret")
    assert file.stat().st_mode & 0o077 == 0
