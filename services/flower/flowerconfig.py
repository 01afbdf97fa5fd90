"""Flower's settings. It reads this file as Python (``flower --conf``)."""

import os
from pathlib import Path

# Flower keeps what it has seen of tasks here, so that a restart of it does not empty its pages.
persistent = True
db = str(Path(os.environ.get("DARKROOM_FLOWER_DIR", "/data")) / "flower.db")
save_state_interval = 60_000  # milliseconds

# Without a login, Flower's pages are open to whoever reaches the port: they may look, not touch.
_login = os.environ.get("DARKROOM_FLOWER_LOGIN", "")
basic_auth = [_login] if _login else []
read_only = not _login

max_tasks = 10_000
purge_offline_workers = 60  # seconds after which a worker that is gone leaves the list
