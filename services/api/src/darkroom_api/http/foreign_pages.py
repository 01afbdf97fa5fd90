"""Refusing what pages of others send through the browser of somebody who can reach this server."""

from collections.abc import Callable
from typing import TypeVar

from darkroom_contracts.problems import ProblemCode
from darkroom_runtime.browsers import is_cross_site, is_own_host
from flask import Flask, current_app, request

from darkroom_api.http.api_keys import has_key
from darkroom_api.http.problems import Problem
from darkroom_api.settings import ApiSettings

View = TypeVar("View", bound=Callable[..., object])

_EFFECT = "changes_something"
_SIGNED = "is_called_with_a_signature"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def has_effect(view: View) -> View:
    """Mark a view that changes something although it is asked with GET."""
    setattr(view, _EFFECT, True)
    return view


def acts(view: object) -> bool:
    """Whether the view changes something although it is asked with GET."""
    return bool(getattr(view, _EFFECT, False))


def is_signed(view: View) -> View:
    """Mark a view whose address nobody else can know, which mail programs and pages of theirs may call."""
    setattr(view, _SIGNED, True)
    return view


def init_foreign_pages(app: Flask, settings: ApiSettings) -> None:
    """Check the Host of requests where no keys are asked for, and the sender of those that change something."""
    public = settings.public_url
    public_host = f"{public.host}:{public.port}"
    names = settings.own_names(public.host or "", settings.api_host)

    def check_host() -> None:
        if not settings.api_keys and "HTTP_HOST" in request.environ and not is_own_host(request.host, names):
            raise Problem(
                403,
                "This server is not known by the name in the Host header. If it is one of its names, whoever runs it "
                "can add it: DARKROOM_ALLOWED_HOSTS.",
                code=ProblemCode.UNKNOWN_HOST,
                error="Unknown host name",
            )

    def check_sender() -> None:
        if not _changes_something() or has_key():
            return
        headers = request.headers
        if is_cross_site(headers.get("Sec-Fetch-Site"), headers.get("Origin"), (request.host, public_host)):
            raise Problem(
                403,
                "A page of another site sent this request. Send it from this server's own page, or without a browser.",
                code=ProblemCode.CROSS_SITE_REQUEST,
                error="Cross-site request",
            )

    app.before_request(check_host)
    app.before_request(check_sender)


def _changes_something() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, _SIGNED, False):
        return False
    return request.method not in _SAFE or acts(view)


def refuse_head_where_it_would_act(app: Flask) -> None:
    """Take HEAD away, which Flask adds to every GET, from views that change something: HEAD is answered with 405.

    Programs that only look, such as link checkers and previews, ask with HEAD (RFC 9110, 9.2.1, calls it safe).
    Called once all views are registered.
    """
    for rule in app.url_map.iter_rules():
        if rule.methods and acts(app.view_functions[rule.endpoint]):
            rule.methods.discard("HEAD")
