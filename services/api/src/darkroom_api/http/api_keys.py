"""Who may hand work in: with keys set, whoever knows one of them."""

import hmac
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from darkroom_contracts.problems import ProblemCode
from flask import request

from darkroom_api import extensions
from darkroom_api.http.problems import Problem

SCHEME = "ApiKey"
"""What the OpenAPI document calls it."""

Args = ParamSpec("Args")
Answer = TypeVar("Answer")


def asks_for_key(view: Callable[Args, Answer]) -> Callable[Args, Answer]:
    """Let the view be reached only with a key, where there are any."""

    @wraps(view)
    def guarded(*args: Args.args, **kwargs: Args.kwargs) -> Answer:
        if extensions.settings().api_keys and not _is_known(presented()):
            raise Problem(
                401,
                "Send one of this server's API keys as `Authorization: Bearer <key>`.",
                code=ProblemCode.API_KEY_REQUIRED,
                error="An API key is needed",
                headers={"WWW-Authenticate": 'Bearer realm="darkroom"'},
            )
        return view(*args, **kwargs)

    return guarded


def presented() -> str:
    """The key that came with this request, or an empty string."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _is_known(key: str) -> bool:
    known = [known.get_secret_value() for known in extensions.settings().api_keys]
    given = key.encode("latin-1")  # as WSGI has decoded it
    return any(hmac.compare_digest(given, candidate.encode()) for candidate in known)  # in constant time each
