"""Who asks: the address that a request came from, also behind proxies."""

from ipaddress import IPv6Address, ip_address, ip_network

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from darkroom_api.settings import ApiSettings

_SITE = 64
"""The part of an IPv6 address, in bits, that one customer commonly has for as many machines as he likes (RFC 6177)."""


def init_client_address(app: Flask, settings: ApiSettings) -> None:
    """Believe as many proxies in front of this server as the settings name, and nobody else, who a request is from."""
    if settings.trusted_proxies:
        proxied = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0, x_host=0)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # as werkzeug's documentation has it


def client() -> str:
    """The client of this request, as one that cannot pass for many by changing its address. Never empty."""
    given = request.remote_addr or "unknown"
    try:
        address = ip_address(given)
    except ValueError:
        return given
    if not isinstance(address, IPv6Address):
        return given
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address.packed, _SITE), strict=False))
