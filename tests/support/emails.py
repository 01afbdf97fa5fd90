"""What tests of emails share."""

from darkroom_records.mail_limits import MailRequest

UNCOUNTED = MailRequest("test", exempt=True)
"""A request for an email in a test that is not about how many there may be."""
