"""How slow a peer may be."""


class Pace:
    """A deadline that moves on while bytes keep moving.

    Each byte buys time at the least rate, but never more than the longest pause. So whoever keeps the rate goes on for
    as long as it takes, and nobody saves up time for a long silence.

    Args:
        now: the time on the monotonic clock.
        rate: bytes per second.
        pause: seconds.
    """

    __slots__ = ("_pause", "_rate", "deadline")

    def __init__(self, now: float, rate: float, pause: float) -> None:
        self._rate = rate
        self._pause = pause
        self.deadline = now + pause

    def moved(self, now: float, count: int) -> None:
        """So many bytes were received or sent."""
        self.deadline = min(now + self._pause, self.deadline + count / self._rate)
