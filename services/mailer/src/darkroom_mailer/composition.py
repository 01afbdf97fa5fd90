"""What each kind of email says, put together at the moment it is sent."""

from dataclasses import dataclass

from darkroom_contracts.mail import ConfirmationEmail, EmailContent, NewsletterEmail, ResultsEmail, TextEmail
from darkroom_records.groups import Group
from darkroom_records.links import Links
from darkroom_records.newsletter_calendar import Issue
from darkroom_records.outbox import Claim
from darkroom_records.statistics import StatisticsStore
from darkroom_records.subscribers import CONFIRMATION_PERIOD, Subscribers

from darkroom_mailer.envelope import ComposedEmail
from darkroom_mailer.reasons import NotWantedError
from darkroom_mailer.results import ResultsEmails
from darkroom_mailer.settings import MailerSettings
from darkroom_mailer.templates import render


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes emails from what is known when they are sent."""

    settings: MailerSettings
    statistics: StatisticsStore
    results: ResultsEmails
    subscribers: Subscribers
    links: Links

    def compose(self, claim: Claim, group: Group | None = None) -> ComposedEmail:
        """What this email says.

        Args:
            claim: the email.
            group: whose results it brings, where they were read just now.

        Raises:
            NotWantedError: there is no need for it any more.
            NothingToSendError: what it was to carry is gone.
            OSError: the storage does not answer.
        """
        content: EmailContent = claim.content
        match content:
            case TextEmail():
                return ComposedEmail(content.subject, content.body)
            case ResultsEmail():
                return self.results.compose(group or self.results.read(content.group_id))
            case ConfirmationEmail():
                return self._confirmation(claim)
            case NewsletterEmail():
                return self._newsletter(claim, Issue(content.issue))
        raise TypeError(f"Unknown kind of email: {content.kind}.")

    def _confirmation(self, claim: Claim) -> ComposedEmail:
        (address,) = claim.to
        if address in self.subscribers:
            raise NotWantedError("The address has the newsletter already.")
        url = self.links.confirmation(address)
        words = render("confirmation", url=url, hours=CONFIRMATION_PERIOD // 3600, host=self.settings.public_url.host)
        return ComposedEmail(words.subject, words.text, words.html)

    def _newsletter(self, claim: Claim, issue: Issue) -> ComposedEmail:
        (address,) = claim.to
        if address not in self.subscribers:
            raise NotWantedError("The address has left the newsletter.")
        url = self.links.unsubscription(address)
        statistics = self.statistics.read(issue.reported_week)
        words = render(
            "newsletter", issue=issue, statistics=statistics, unsubscribe_url=url, home=self.settings.public_url
        )
        return ComposedEmail(words.subject, words.text, words.html, headers=_list_headers(url, self.settings))


def _list_headers(unsubscribe_url: str, settings: MailerSettings) -> dict[str, str]:
    """What lets a mail program offer to unsubscribe: RFC 2369, RFC 2919, and with one click, RFC 8058."""
    return {
        "List-Id": f"<newsletter.{settings.mail_domain}>",
        "List-Unsubscribe": f"<{unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
