"""The soak: a mixed load on the whole system while its processes are killed, and what came of it."""
