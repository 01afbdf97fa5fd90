"""What goes wrong while the soak runs, in an order that the seed decides."""

import os
import random
import signal
import threading
import time

from support.local_stack import LocalStack

from soak.history import History

PROGRAMS = ("api", "worker", "maintenance", "scheduler", "mailer", "outbound", "flower")
_KINDS = ("kill", "kill", "kill", "terminate", "kill child", "kill child", "restart redis", "freeze redis")


class Faults(threading.Thread):
    """Injects one fault after the other, until it is told to stop. Supervisor starts again what has ended."""

    def __init__(self, stack: LocalStack, history: History, seed: int, *, pause: float) -> None:
        super().__init__(name="faults", daemon=True)
        self._stack, self._history, self._pause = stack, history, pause
        self._random = random.Random(f"faults {seed}")
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(self._random.uniform(0.5, 1.5) * self._pause):
            # Drawn before it is looked what runs, so that a seed means the same on any machine.
            kind, program = self._random.choice(_KINDS), self._random.choice(PROGRAMS)
            draw, seconds = self._random.random(), self._random.uniform(1, 6)
            try:
                self._inject(kind, program, draw, seconds)
            except (ProcessLookupError, FileNotFoundError):
                self._history.happened(f"{kind} of {program}: it had ended already")

    def _inject(self, kind: str, program: str, draw: float, seconds: float) -> None:
        if kind == "kill child":
            program = "worker" if draw < 0.7 else "maintenance"
        elif kind.endswith("redis"):
            program = "redis"
        pid = self._stack.processes[program].pid
        if not pid:
            return
        if kind == "kill":
            os.killpg(pid, signal.SIGKILL)
            self._history.happened(f"{program} killed")
        elif kind == "terminate":
            # As its stop signal has it: a worker finishes what it is at, within its grace period.
            os.kill(pid, signal.SIGQUIT if program == "worker" else signal.SIGTERM)
            self._history.happened(f"{program} asked to end")
        elif kind == "kill child":
            children = sorted(self._stack.children(program))
            if children:
                os.kill(children[int(draw * len(children))], signal.SIGKILL)
                self._history.happened(f"a child of {program} killed")
        elif kind == "restart redis":
            os.kill(pid, signal.SIGKILL if draw < 0.5 else signal.SIGTERM)
            self._history.happened(f"redis {'killed' if draw < 0.5 else 'asked to end'}")
        else:
            self._history.happened(f"redis frozen for {seconds:.1f} s")
            os.kill(pid, signal.SIGSTOP)
            try:
                time.sleep(seconds)
            finally:
                os.kill(pid, signal.SIGCONT)
