"""The email that carries a group's results: attached where they are small enough, otherwise behind a link."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from darkroom_contracts.states import ImageState
from darkroom_records import archive
from darkroom_records.blobs import BlobNotFoundError, BlobStorage
from darkroom_records.groups import Group, GroupStore, UnknownGroupError
from darkroom_records.links import Links

from darkroom_mailer.envelope import Attachment, ComposedEmail
from darkroom_mailer.reasons import NothingToSendError, NotWantedError
from darkroom_mailer.templates import render

_GONE = "The results have expired and were deleted."

_MAX_FAILURES = 50
"""Failures that an email lists; the manifest in the archive lists all."""


@dataclass(frozen=True, slots=True)
class ResultsEmails:
    """Writes the emails that carry results.

    Args:
        groups: where the groups' records are.
        storage: where their results are.
        links: for results that are not attached.
        attach_limit: the largest archive, in bytes, that is attached.
        keep_results: seconds for which results are kept where a group does not say so itself.
        timezone: in which times are given.
    """

    groups: GroupStore
    storage: BlobStorage
    links: Links
    attach_limit: int
    keep_results: int
    timezone: tzinfo

    def read(self, group_id: str) -> Group:
        """The group, with its images.

        Raises:
            NothingToSendError: it has expired.
        """
        try:
            return self.groups.read(group_id)
        except UnknownGroupError:
            raise NothingToSendError(_GONE) from None

    def compose(self, group: Group) -> ComposedEmail:
        """What the email about a group that ended says.

        Raises:
            NotWantedError: the group is running again.
            NothingToSendError: its results have expired.
            OSError: the storage does not answer.
        """
        expires_at = group.expires_at(self.keep_results)
        if expires_at is None:
            raise NotWantedError("The group is running again, and ends once more.")
        attachment = self._attachment(group)
        kept_until = datetime.fromtimestamp(expires_at, self.timezone)
        words = render(
            "results",
            counts=group.counts,
            failures=[(image.name, image.outcome.error) for image in group.images if image.state is ImageState.FAILED],
            max_failures=_MAX_FAILURES,
            attached=attachment is not None,
            archive_url=self.links.archive(group.group_id),
            kept_until=f"{kept_until:%d %B %Y, %H:%M %Z}",
        )
        return ComposedEmail(words.subject, words.text, words.html, attachment)

    def _attachment(self, group: Group) -> Attachment | None:
        content = archive.stream(group, self.storage)
        if not group.counts.succeeded or len(content) > self.attach_limit:
            return None
        try:
            return Attachment(f"darkroom-{group.group_id[:8]}.zip", "application/zip", b"".join(content))
        except BlobNotFoundError:
            raise NothingToSendError(_GONE) from None
