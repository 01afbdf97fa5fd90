"""The message printed when the system is ready. Needs only the standard library."""

from __future__ import annotations


def announcement(*, api: str, flower: str, email: str, public: str | None = None, logs: str | None = None) -> str:
    """Return the text that says where everything is.

    Args:
        api: the URL of the API on this machine.
        flower: the URL of Flower on this machine.
        email: where email goes.
        public: the URL people reach the API at, where that is another one.
        logs: the folder with the logs, where there is one.
    """
    rows = [
        ("page", f"{api}/"),
        ("API", f"{api}/docs"),
        ("Flower", f"{flower}/"),
        ("email", email),
        ("public URL", public if public and public.rstrip("/") != api else None),
        ("logs", logs),
    ]
    lines = [f"  {name:<12}{value}" for name, value in rows if value]
    return "\n".join(
        [
            "",
            "Darkroom is ready. Ctrl-C stops it, or `make down` in another terminal.",
            "",
            *lines,
            "",
            "Warnings and errors follow; `make logs` shows everything.",
            "",
        ]
    )
