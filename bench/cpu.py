"""The processor time of processes."""

from pathlib import Path

from support.local_stack import LocalStack


def cpu_seconds(pid: int) -> float:
    """Return the user and system time of a process and its children, including those that have ended."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(map(int, ticks)) / 100 + sum(cpu_seconds(int(child)) for child in children)


def cpu_of_programs(stack: LocalStack) -> dict[str, float]:
    """Return the CPU time so far of each program of a system, in seconds."""
    return {name: cpu_seconds(process.pid) for name, process in stack.processes.items()}
