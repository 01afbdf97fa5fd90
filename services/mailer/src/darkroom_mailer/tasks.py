"""Tasks of the queue ``mail``. Each may run twice: what is true is in the outbox, and is sent from there once."""

from darkroom_contracts.messages import SendDueEmails, SendEmail, SendNewsletter, SendResults
from darkroom_runtime.sending import send

from darkroom_mailer.app import app
from darkroom_mailer.notifications import notify
from darkroom_mailer.resources import delivery, groups, issue_now, issues, newsletter, outbox

_BATCH = 200
"""The most emails that are sent again at one time: fewer than four threads send until the next time."""


@app.task(name=SendEmail.name)
def send_email(email_id: str) -> None:
    """Send an email of the outbox, if it is due."""
    delivery().deliver(email_id)


@app.task(name=SendResults.name)
def send_results(group_id: str) -> None:
    """Email the results of a group that has ended, once for each time it ends."""
    notify(group_id, groups=groups(), outbox=outbox(), deliver=delivery().deliver)


@app.task(name=SendNewsletter.name)
def send_newsletter() -> None:
    """Send the newest issue to all who do not have it, for some seconds; then leave the rest to the next run."""
    issue = issue_now()
    issues().begin(issue)
    if newsletter().run(issue):
        send(app, SendNewsletter())


@app.task(name=SendDueEmails.name)
def send_due_emails() -> None:
    """Send messages for all that is due and has none: emails to be tried again, and what was lost with a mailer."""
    for email_id in outbox().due(_BATCH):
        send(app, SendEmail(email_id))
    for group_id in groups().overdue_notifications(_BATCH):
        send(app, SendResults(group_id))
    if issues().is_due(issue_now()):
        send(app, SendNewsletter())
