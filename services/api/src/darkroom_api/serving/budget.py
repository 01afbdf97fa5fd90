"""How much memory the bodies may take that are being read."""


class Budget:
    """Bytes for several to share. Who asks for more than all there is gets it as long as nobody else has any."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0

    def take(self, count: int) -> bool:
        """Take so many, if they are left."""
        if self._used and self._used + count > self._limit:
            return False
        self._used += count
        return True

    def give_back(self, count: int) -> None:
        """Leave so many to others."""
        self._used -= count
