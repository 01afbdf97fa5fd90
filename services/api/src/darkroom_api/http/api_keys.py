"""Who may do what: with keys set, whoever knows one of them."""

import hmac
from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec, TypeVar

from darkroom_contracts.problems import ProblemCode
from flask import request

from darkroom_api.http.client_address import client
from darkroom_api.http.named_keys import NamedKey
from darkroom_api.http.problems import Problem
from darkroom_api.services import services

SCHEME = "ApiKey"
ADMIN_SCHEME = "AdminKey"
"""What the OpenAPI document calls them."""

Args = ParamSpec("Args")
Answer = TypeVar("Answer")


def asks_for_key(view: Callable[Args, Answer]) -> Callable[Args, Answer]:
    """Let the view be reached only with a key, where there are any."""

    @wraps(view)
    def guarded(*args: Args.args, **kwargs: Args.kwargs) -> Answer:
        if services().settings.api_keys and not has_key():
            raise _key_required("Send an API key as `Authorization: Bearer <key>`.")
        return view(*args, **kwargs)

    return guarded


def asks_for_admin_key(view: Callable[Args, Answer]) -> Callable[Args, Answer]:
    """Let the view be reached only with an operator's key, where there are any keys."""

    @wraps(view)
    def guarded(*args: Args.args, **kwargs: Args.kwargs) -> Answer:
        require_admin_key()
        return view(*args, **kwargs)

    return guarded


def require_admin_key() -> None:
    """Refuse this request unless it has an operator's key: an admin key, or any key where there are no admin keys.

    Raises:
        Problem: 401 where it has no key, 403 where its key is no operator's.
    """
    settings = services().settings
    keys = settings.admin_keys or settings.api_keys
    if not keys or _found(keys):
        return
    if has_key():
        raise Problem(
            403,
            "This API key may not see the operators' views. Send an admin key.",
            code=ProblemCode.ADMIN_KEY_REQUIRED,
            error="Admin key required",
        )
    raise _key_required("Send an operator's key as `Authorization: Bearer <key>`.")


def has_key() -> bool:
    """Whether this request has a key of this server. An admin key opens whatever an API key does."""
    return current_key() is not None


def current_key() -> NamedKey | None:
    """The key of this server that this request has."""
    settings = services().settings
    return _found((*settings.api_keys, *settings.admin_keys))


def key_name() -> str | None:
    """The name of this request's key."""
    key = current_key()
    return key.name if key else None


def owner() -> str | None:
    """Whose the groups and uploads of this request are: its key's, by the name of that. Without a key, nobody's."""
    name = key_name()
    return f"key:{name}" if name else None


def key_owner() -> str:
    """Whose Idempotency-Keys this request uses: those of its API key, or of its client's address where it has none."""
    return _presented() if has_key() else f"client:{client()}"


def _key_required(detail: str) -> Problem:
    return Problem(
        401,
        detail,
        code=ProblemCode.API_KEY_REQUIRED,
        error="API key required",
        headers={"WWW-Authenticate": 'Bearer realm="darkroom"'},
    )


def _presented() -> str:
    """The key that came with this request, or an empty string."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _found(keys: Iterable[NamedKey]) -> NamedKey | None:
    given = _presented().encode("latin-1")  # as WSGI has decoded it
    # Each in constant time, and none where no key was sent.
    matches = (key for key in keys if hmac.compare_digest(given, key.secret.get_secret_value().encode()))
    return next(matches, None) if given else None
