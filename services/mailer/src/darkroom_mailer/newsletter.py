"""Sending an issue of the newsletter to every subscriber, at most once, at a steady rate.

A run walks the addresses in alphabetical order and keeps its place in Redis; whoever comes next goes on from
there. What keeps a second email from anybody is not the place but the set of those served, and the email's id, which
follows from the issue and the address: submitted again, it is the same email. So a run may be interrupted anywhere,
begun twice or begun again, and reaches those who subscribed since.
"""

import hashlib
import time
from collections.abc import Callable

from darkroom_contracts.mail import Address, Email, NewsletterEmail
from darkroom_records.mail_limits import MailRequest
from darkroom_records.newsletter import NewsletterStore
from darkroom_records.newsletter_calendar import Issue
from darkroom_records.outbox import Outbox
from darkroom_records.subscribers import Subscribers

RUN = 10.0
"""Seconds after which a run makes way for the next one, so that stopping a mailer never waits for a whole issue."""


class Newsletter:
    """Runs of the newsletter.

    Args:
        store: where its place is kept.
        outbox: takes each email.
        subscribers: who gets one.
        deliver: sends an email by its id; False if the mail server cannot be reached.
        rate: emails sent each second, by all mailers together.
    """

    def __init__(
        self,
        store: NewsletterStore,
        outbox: Outbox,
        subscribers: Subscribers,
        *,
        deliver: Callable[[str], bool],
        rate: float,
    ) -> None:
        self.store = store
        self._outbox = outbox
        self._subscribers = subscribers
        self._deliver = deliver
        self._interval = round(1000 / rate)

    def run(self, issue: Issue, *, seconds: float = RUN) -> bool:
        """Send the issue for so long, unless another mailer does.

        Returns:
            Whether the next run should follow at once.
        """
        with self.store.lock(issue) as is_held:
            return is_held and self._walk(issue, time.monotonic() + seconds)

    def _walk(self, issue: Issue, until: float) -> bool:
        secret, place = self.store.progress(issue)
        for page in self._subscribers.after(place):
            for address in self.store.unserved(issue, page):
                if time.monotonic() > until:
                    return True
                if not self._serve(issue, address, secret):
                    return False
            self.store.advance(issue, page[-1])
        self.store.finish(issue)
        return False

    def _serve(self, issue: Issue, address: Address, secret: str) -> bool:
        while wait := self.store.take_turn(milliseconds=self._interval):
            time.sleep(wait)
        # The secret keeps anybody from asking after the email of an address, and so whether it is a subscriber's.
        email_id = hashlib.sha256(f"{secret}:{address}".encode()).hexdigest()[:32]
        email = Email((address,), NewsletterEmail(issue=issue.name))
        # Not counted: its recipient confirmed that it is wanted, and each issue has one email for each.
        self._outbox.submit(email, request=MailRequest(email_id, exempt=True), email_id=email_id)
        self.store.mark_served(issue, address)
        return self._deliver(email_id)
