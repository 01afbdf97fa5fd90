"""What is asked for a group as a whole, held against the limits of this server."""

from darkroom_imaging.operations import write_outputs
from darkroom_records.groups import Terms

from darkroom_api.groups.requests import Members
from darkroom_api.http.validation import problem_of
from darkroom_api.settings import ApiSettings

MAX_DEADLINE_DAYS = 7
"""Days ahead that a deadline can be."""

_DAY = 24 * 3600


def terms_of(wanted: Members, settings: ApiSettings, *, now: float) -> Terms:
    """The terms of a group of which this is wanted.

    Args:
        wanted: the members of a request.
        settings: for how long results can be kept, and whether webhooks can be signed.
        now: the Unix time.

    Raises:
        Problem: 422 where results are to be kept for too long, the deadline is past or too far away, or there are no
            webhooks.
    """
    deadline = wanted.deadline.timestamp() if wanted.deadline else None
    mistakes = []
    if wanted.keep_for is not None and wanted.keep_for > settings.max_keep_for:
        mistakes.append(("keep_for", f"must be at most {settings.max_keep_for:,} seconds"))
    if deadline is not None and deadline <= now:
        mistakes.append(("deadline", "must be in the future"))
    if deadline is not None and deadline > now + MAX_DEADLINE_DAYS * _DAY:
        mistakes.append(("deadline", f"must be at most {MAX_DEADLINE_DAYS} days ahead"))
    if wanted.webhook_url and not settings.webhook_secret:
        mistakes.append(
            ("webhook_url", "webhooks are disabled until a secret to sign them with is set: DARKROOM_WEBHOOK_SECRET")
        )
    if mistakes:
        raise problem_of(mistakes)
    return Terms(
        outputs=write_outputs(wanted.outputs or {}),
        metadata=wanted.metadata,
        email=wanted.email,
        notify=wanted.notify,
        keep_for=wanted.keep_for,
        deadline=deadline,
        webhook_url=wanted.webhook_url,
        webhook_images=wanted.webhook_events == "images",
    )
