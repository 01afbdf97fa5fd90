"""How many emails may be asked for: by one client, and to one address, whoever asks.

Every email passes this gate in the step that writes it into the outbox. It is held always, with or without API keys.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from darkroom_contracts.mail import Recipients
from darkroom_runtime.settings import Settings
from pydantic import AfterValidator, Field

from darkroom_records import _keys as keys
from darkroom_records.mailbox import mailbox

_RATE = re.compile(r"\s*([0-9]{1,6})\s*/\s*([0-9]{0,4})\s*(second|minute|hour|day)s?\s*")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}

Windows: TypeAlias = tuple[tuple[int, int], ...]
"""How many there may be within how many seconds. All must hold."""


def parse_rate(text: str) -> Windows:
    """What a rate means, such as ``20/hour`` or ``20/hour;50/day``.

    Raises:
        ValueError: it is no rate; the message says how one is written.
    """
    parts = [_RATE.fullmatch(part) for part in re.split(r"[;,]", text)]
    windows = tuple((int(part[1]), int(part[2] or 1) * _SECONDS[part[3]]) for part in parts if part)
    if len(windows) < len(parts) or not all(amount and seconds for amount, seconds in windows):
        raise ValueError("write a number and a time, such as 20/hour")
    return windows


def _rate(text: str) -> str:
    parse_rate(text)
    return text


Rate = Annotated[str, AfterValidator(_rate)]


class MailLimitSettings(Settings):
    """Settings of a process that puts emails into the outbox."""

    mail_limit_per_client: Rate = Field("20/hour", description="Emails that one client may ask for, such as `20/hour`.")
    mail_limit_per_address: Rate = Field("5/hour", description="Emails that may be asked for to one address.")


@dataclass(frozen=True, slots=True)
class MailRequest:
    """Who asks for an email.

    Args:
        name: of the request. Asked for again under the same name, an email counts once.
        client: who asks, where a client does.
        exempt: it counts for nothing, because its recipient has confirmed that it is wanted.
    """

    name: str
    client: str | None = None
    exempt: bool = False


class Scope(StrEnum):
    """What a limit is for."""

    CLIENT = "client"
    ADDRESS = "address"


class MailLimitError(Exception):
    """Too many emails were asked for.

    Args:
        scope: the limit that was reached.
        wait: seconds after which there is room again.
    """

    def __init__(self, scope: Scope, wait: int) -> None:
        super().__init__(f"Too many emails requested {_FOR_WHOM[scope]}.")
        self.scope = scope
        self.wait = wait


_FOR_WHOM = {Scope.CLIENT: "by this client", Scope.ADDRESS: "for this address"}


@dataclass(frozen=True, slots=True)
class Counters:
    """Where a request is counted, and what bounds it there, as ``limits.lua`` takes it."""

    scopes: Sequence[Scope]
    keys: Sequence[str]
    windows: Sequence[Windows]
    name: str

    @property
    def arguments(self) -> tuple[str, str]:
        return self.name, json.dumps(self.windows)

    def check(self, refusal: Any) -> None:
        """Read what the script answered.

        Raises:
            MailLimitError: there is no room for this request.
        """
        if isinstance(refusal, list):
            position, wait = refusal
            raise MailLimitError(self.scopes[position - 1], max(1, math.ceil(float(wait))))


class MailLimits:
    """The limits of one process. All processes count together, in Redis."""

    def __init__(self, settings: MailLimitSettings | None = None) -> None:
        given = settings or MailLimitSettings.model_construct()
        self._per_client = parse_rate(given.mail_limit_per_client)
        self._per_address = parse_rate(given.mail_limit_per_address)

    def counters(self, to: Recipients, request: MailRequest) -> Counters:
        """Where an email counts: for its client first, so that who is refused cannot use up somebody's address."""
        if request.exempt:
            return Counters((), (), (), request.name)
        of_client = [(Scope.CLIENT, request.client, self._per_client)] if request.client else []
        of_addresses = [(Scope.ADDRESS, box, self._per_address) for box in sorted({mailbox(address) for address in to})]
        counted = [*of_client, *of_addresses]
        return Counters(
            scopes=[scope for scope, _, _ in counted],
            keys=[keys.email_counter(scope, whom) for scope, whom, _ in counted],
            windows=[windows for _, _, windows in counted],
            name=request.name,
        )

    def unsubscribing(self, client: str, name: str) -> Counters:
        """Where a client's request to take an address off the newsletter counts: beside its emails, as many."""
        return Counters((Scope.CLIENT,), (keys.email_counter("unsubscribe", client),), (self._per_client,), name)
