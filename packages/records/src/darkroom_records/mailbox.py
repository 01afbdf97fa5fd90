"""Find the mailbox behind an address: large providers deliver many spellings to the same one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from darkroom_contracts.mail import Address


@dataclass(frozen=True, slots=True)
class _Provider:
    domain: str
    ignored: str = ""
    """Characters that make no difference in a name."""


_GMAIL = _Provider("gmail.com", ignored=".")
_ICLOUD = _Provider("icloud.com")
_PROTON = _Provider("proton.me", ignored=".-_")
_YANDEX = _Provider("yandex.ru")
_PROVIDERS: Mapping[str, _Provider] = MappingProxyType(
    {
        "gmail.com": _GMAIL,
        "googlemail.com": _GMAIL,
        "icloud.com": _ICLOUD,
        "me.com": _ICLOUD,
        "mac.com": _ICLOUD,
        "proton.me": _PROTON,
        "protonmail.com": _PROTON,
        "protonmail.ch": _PROTON,
        "pm.me": _PROTON,
    }
    | dict.fromkeys(("yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "ya.ru"), _YANDEX)
)
"""Providers that have several names, or to whom some characters mean nothing."""
_FASTMAIL = re.compile(r"([^.]+)\.(fastmail\.(?:com|fm|net|org)|sent\.com)")
"""Fastmail takes ``anything@ada.fastmail.com`` for ``ada@fastmail.com``."""


def mailbox(address: Address) -> str:
    """The mailbox that an address most likely leads to. For counting only: mail is sent to the address as it was given.

    Capitals and what follows a plus make no difference to anybody, and dots none to some providers.
    """
    local_part, _, domain = address.lower().rpartition("@")
    if own_domain := _FASTMAIL.fullmatch(domain):
        local_part, domain = own_domain[1], own_domain[2]
    name = local_part.partition("+")[0]
    provider = _PROVIDERS.get(domain, _Provider(domain))
    return f"{name.translate(str.maketrans('', '', provider.ignored))}@{provider.domain}"
