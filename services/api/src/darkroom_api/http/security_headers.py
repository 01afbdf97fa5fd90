"""The headers that tell a browser what an answer may do."""

from flask import Flask, Response
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    XContentTypeOptions,
    XFrameOptions,
)


def _policy() -> ContentSecurityPolicy:
    return ContentSecurityPolicy().default_src("'none'").base_uri("'none'").frame_ancestors("'none'")


def _headers(policy: ContentSecurityPolicy) -> Secure:
    # Neither HSTS nor upgrade-insecure-requests: on a home network this is plain HTTP, and would break.
    return Secure(
        csp=policy,
        coop=CrossOriginOpenerPolicy().same_origin(),
        corp=CrossOriginResourcePolicy().same_origin(),
        permissions=PermissionsPolicy().geolocation().camera().microphone(),
        referrer=ReferrerPolicy().no_referrer(),  # a group's id in an address must not reach another site
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )


_DATA = _headers(_policy().sandbox())
"""For everything that is no page of ours, images of strangers first of all."""

_PAGE = _headers(
    _policy()
    .script_src("'self'")
    .style_src("'self'")
    .img_src("'self'", "blob:", "data:")
    .connect_src("'self'")
    .form_action("'self'")
)


def init_security_headers(app: Flask) -> None:
    """Set them on every answer."""
    app.after_request(_set)


def _set(response: Response) -> Response:
    (_PAGE if response.mimetype == "text/html" else _DATA).set_headers(response)
    return response
