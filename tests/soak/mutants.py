"""Break the code in one place after the other, and see that something notices: ``make mutants``.

Each mutant is a change of one text in a copy of the tree. What is expected to catch it must fail there, and pass on the
tree as it is. A text that is not found is an error: a mutant follows the code that it breaks.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORDS = "packages/records/src/darkroom_records"
STEPS = f"{RECORDS}/groups/scripts"
MACHINE = "tests/integration/test_group_interleavings.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change, and the tests that must fail with it."""

    what: str
    file: str
    old: str
    new: str
    caught_by: str = MACHINE


MUTANTS = (
    Mutant(
        "a living worker's image is given to a second one",
        f"{STEPS}/begin.lua",
        "if state == 'processing' and is_alive(begun_by) and delivery <= begun_delivery then return false end",
        "",
    ),
    Mutant(
        "an attempt that was replaced ends its image",
        f"{STEPS}/finish.lua",
        "if not is_latest(index, attempt, ARGV[8]) then return {0} end",
        "",
        "tests/integration/test_group_store.py",
    ),
    Mutant(
        "a step whose answer was lost is done again",
        f"{RECORDS}/steps/once.lua",
        "if answered then return cmsgpack.unpack(answered) end",
        "",
    ),
    Mutant(
        "a step is done that its caller has given up",
        f"{RECORDS}/steps/once.lua",
        "if DEADLINE > 0 and",
        "if false and",
    ),
    Mutant(
        "the images of a lost worker are not recovered",
        f"{STEPS}/recover.lua",
        "elseif state == 'processing' and not",
        "elseif state == 'cancelled' and not",
    ),
    Mutant(
        "images whose messages were lost are not recovered",
        f"{STEPS}/recover.lua",
        "if is_overdue(index, tonumber(redis.call('ZSCORE', sent, name))) then",
        "if false then",
    ),
    Mutant(
        "what was cancelled counts as failed",
        f"{STEPS}/cancel.lua",
        "local final = ARGV[4]\n",
        "local final = ARGV[4] == 'cancelled' and 'failed' or ARGV[4]\n",
    ),
    Mutant(
        "the outcomes of a deleted group stay",
        f"{STEPS}/common.lua",
        "ATTEMPTS, OUTCOMES, SOURCES)\n  for",
        "ATTEMPTS, SOURCES)\n  for",
    ),
    Mutant(
        "two workers deliver one webhook",
        f"{STEPS}/claim_webhook.lua",
        "if is_alive(webhook.worker) and tonumber",
        "if false and tonumber",
    ),
    Mutant(
        "an image has succeeded although its result is not stored",
        "services/worker/src/darkroom_worker/processing.py",
        "self.storage.put(result_blob(work.group_id, work.index, output), result.data)",
        "pass",
        "tests/integration/worker/test_attempts.py",
    ),
    Mutant(
        "an email that its mail server may have is sent again",
        f"{RECORDS}/outbox/scripts/claim.lua",
        "if stage == 'handing over' then",
        "if false then",
        "tests/integration/mailer/test_lost_mailers.py",
    ),
    Mutant(
        "an accepted batch whose confirmation was lost is not looked for",
        "services/maintenance/src/darkroom_maintenance/deletion.py",
        "if turns := groups.confirm(group_id):",
        "if turns := None:",
        "tests/integration/api/test_sweep.py",
    ),
)


def _copy(target: Path) -> None:
    """Copy what git knows of, as it stands in the tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _passes(tree: Path, tests: str) -> bool:
    """Whether the tests pass on the code of this tree, which goes before what is installed."""
    sources = [
        str(folder) for pattern in ("packages/*/src", "services/*/src", "local/src") for folder in tree.glob(pattern)
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sources, str(tree / "tests")])}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", tests]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):  # neither passed nor failed
        sys.exit(f"{tests} could not be run:\n{done.stdout}{done.stderr}")
    return done.returncode == 0


def main() -> None:
    """Print the table. Exits with 1 where a mutant was not caught."""
    wanted = [mutant for mutant in MUTANTS if not sys.argv[1:] or any(word in mutant.what for word in sys.argv[1:])]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="darkroom-mutants-") as folder:
        tree = Path(folder)
        _copy(tree)
        print("| mutant | file | caught by | s |\n| --- | --- | --- | --- |", flush=True)
        sound_tests: set[str] = set()
        for mutant in wanted:
            if mutant.caught_by not in sound_tests and not _passes(tree, mutant.caught_by):
                sys.exit(f"{mutant.caught_by} fails without any mutant.")
            sound_tests.add(mutant.caught_by)
            file, began = tree / mutant.file, time.monotonic()
            sound = file.read_text()
            if sound.count(mutant.old) != 1:
                sys.exit(f"{mutant.file} does not hold this once any more: {mutant.old}")
            file.write_text(sound.replace(mutant.old, mutant.new))
            caught = not _passes(tree, mutant.caught_by)
            file.write_text(sound)
            missed += not caught
            by = f"`{mutant.caught_by}`" if caught else "**nothing**"
            print(f"| {mutant.what} | `{Path(mutant.file).name}` | {by} | {time.monotonic() - began:.0f} |", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
