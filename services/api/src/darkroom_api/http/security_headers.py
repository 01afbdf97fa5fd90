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


def _page(*image_sources: str) -> Secure:
    return _headers(
        _policy()
        .script_src("'self'")
        .style_src("'self'")
        .img_src("'self'", "blob:", "data:", *image_sources)
        .connect_src("'self'")
        .form_action("'self'")
    )


def init_security_headers(app: Flask, image_source: str | None) -> None:
    """Set them on every answer.

    Args:
        app: the application.
        image_source: where, beside the application itself, its page may load images from.
    """
    page = _page(*([image_source] if image_source else []))

    def set_headers(response: Response) -> Response:
        (page if response.mimetype == "text/html" else _DATA).set_headers(response)
        return response

    app.after_request(set_headers)
