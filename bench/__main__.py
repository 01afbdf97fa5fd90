"""Run all benchmarks, or those named, each in a process of its own so that none warms up another."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = (
    "imaging",
    "encoding",
    "throughput",
    "memory",
    "intake",
    "uploads",
    "fairness",
    "streams",
    "slow_clients",
    "idle",
    "durability",
)


def main() -> None:
    """Print the tables of the benchmarks named on the command line, or of all."""
    for name in sys.argv[1:] or BENCHMARKS:
        if name not in BENCHMARKS:
            sys.exit(f"Unknown benchmark {name!r}. Choose from: {', '.join(BENCHMARKS)}.")
        print(f"\n## {name}\n", flush=True)
        # Use the client and the test images of the tests.
        environment = os.environ | {"PYTHONPATH": str(ROOT / "tests")}
        subprocess.run([sys.executable, "-m", f"bench.{name}"], check=True, cwd=ROOT, env=environment)


if __name__ == "__main__":
    main()
