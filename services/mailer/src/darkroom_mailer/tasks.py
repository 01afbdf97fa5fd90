"""Tasks of the queue ``mail``. Each may run twice: what is true is in the outbox, and is sent from there once."""

from darkroom_contracts.queues import QUEUE_OF, Task
from darkroom_records.outbox.post import send_message

from darkroom_mailer.app import app
from darkroom_mailer.resources import announcements, delivery, issue_now, newsletter, outbox

_BATCH = 200
"""The most mails that are sent again at one time: fewer than four threads send until the next time."""


@app.task(name=Task.SEND_MAIL)
def send_mail(mail_id: str) -> None:
    """Send a mail of the outbox, if it is due."""
    delivery().deliver(mail_id)


@app.task(name=Task.CONFIRM_SUBSCRIPTION)
def confirm_subscription(mail_id: str) -> None:
    """Send the mail that asks whether its recipient wants the newsletter."""
    delivery().deliver(mail_id)


@app.task(name=Task.SEND_RESULTS)
def send_results(group_id: str) -> None:
    """Mail the results of a group that has ended, once for each time it ends."""
    if mail_id := announcements().submit(group_id):
        delivery().deliver(mail_id)


@app.task(name=Task.SEND_NEWSLETTER)
def send_newsletter() -> None:
    """Send the newest issue to all who do not have it, for some seconds; then leave the rest to the next run."""
    issue = issue_now()
    newsletter().begin(issue)
    if newsletter().run(issue):
        _send(Task.SEND_NEWSLETTER)


@app.task(name=Task.SEND_DUE_MAIL)
def send_due_mail() -> None:
    """Send messages for all that is due and has none: mails to be tried again, and what was lost with a mailer."""
    for mail_id in outbox().due(_BATCH):
        send_message(app, Task.SEND_MAIL, mail_id)
    for group_id in announcements().overdue(_BATCH):
        _send(Task.SEND_RESULTS, group_id)
    if newsletter().is_due(issue_now()):
        _send(Task.SEND_NEWSLETTER)


def _send(task: Task, *arguments: str) -> None:
    app.send_task(task, args=arguments, queue=QUEUE_OF[task], ignore_result=True)
