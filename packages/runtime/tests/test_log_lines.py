"""Whatever a process says is a log line."""

import json
import subprocess
import sys
from typing import Any

import pytest

PRELUDE = """
import ctypes, logging, os, subprocess, sys, threading, warnings
from darkroom_runtime.logs import take_over_process
from darkroom_runtime.settings import Settings
take_over_process(Settings(log_format="json"), "test")
"""


def lines_of(code: str) -> list[dict[str, Any]]:
    """What a process logs that runs this code. Fails where a line is no JSON object."""
    process = subprocess.run(
        [sys.executable, "-c", PRELUDE + code], capture_output=True, text=True, timeout=60, check=False
    )
    lines = [json.loads(line) for line in (process.stdout + process.stderr).splitlines()]
    assert all(line["service"] == "test" and line["timestamp"] and line["level"] for line in lines)
    return lines


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("print('hello %s')", "info"),
        ("print('hello %s', end='')", "info"),
        ("sys.stderr.write('hello %s\\n')", "warning"),
        ("os.write(2, b'hello %s\\n')", "warning"),
        ("ctypes.CDLL(None).write(2, b'hello %s\\n', 9)", "warning"),
        ("subprocess.run(['echo', 'hello %s'])", "info"),
        ("child = os.fork() or (os.write(2, b'hello %s\\n'), os._exit(0)); os.waitpid(child, 0)", "warning"),
        ("logging.getLogger('theirs').info('hello %s')", "info"),
    ],
)
def test_what_is_printed_is_logged(code: str, level: str) -> None:
    (line,) = lines_of(code)
    assert (line["event"], line["level"]) == ("hello %s", level)


def test_a_warning_is_one_line() -> None:
    (line,) = lines_of("warnings.warn('two\\nlines')")
    assert "two\nlines" in line["event"]
    assert line["level"] == "warning"


@pytest.mark.parametrize(
    "code",
    [
        "1 / 0",
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()",
        "class Broken:\n    def __del__(self): 1 / 0\nBroken()",
    ],
)
def test_an_exception_that_nobody_catches_is_one_line_with_its_traceback(code: str) -> None:
    (line,) = lines_of(code)
    assert "ZeroDivisionError" in line["exception"]


def test_more_than_a_pipe_holds_is_logged_to_the_end() -> None:
    lines = lines_of("for n in range(20_000): print(n, 'x' * 80)")
    assert [int(line["event"].split()[0]) for line in lines] == list(range(20_000))


def test_the_lines_of_several_processes_do_not_run_into_each_other() -> None:
    code = """
children = []
for number in range(4):
    if child := os.fork():
        children.append(child)
    else:
        for _ in range(200): logging.getLogger("child").info(str(number) * 6_000)
        os._exit(0)
for child in children: os.waitpid(child, 0)
"""
    lines = lines_of(code)
    assert len(lines) == 800
    assert all(len(line["event"]) == 6_000 and len(set(line["event"])) == 1 for line in lines)


def test_a_wrong_setting_is_a_line_too() -> None:
    code = "from darkroom_runtime.settings import Settings, load; load(Settings)"
    process = subprocess.run(
        [sys.executable, "-c", code],
        env={"DARKROOM_LOG_LEVEL": "deafening"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 1
    assert "DARKROOM_LOG_LEVEL" in json.loads(process.stderr)["event"]
