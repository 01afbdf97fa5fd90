"""Run every measurement, or those named, each in a process of its own so that none warms up another."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("imaging", "throughput", "intake", "streams", "slow_clients")


def main() -> None:
    """Print the tables of the parts named on the command line, of all where none is."""
    for part in sys.argv[1:] or PARTS:
        if part not in PARTS:
            sys.exit(f"There is no measurement {part!r}: choose from {', '.join(PARTS)}.")
        print(f"\n## {part}\n", flush=True)
        # The client and the pictures of the tests serve here, too.
        environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
        subprocess.run([sys.executable, "-m", f"bench.{part}"], check=True, cwd=ROOT, env=environment)


if __name__ == "__main__":
    main()
