"""Tasks of the queue ``outbound``: thin shells around plain functions. Each may run twice, and counts once."""

from celery import Task
from darkroom_contracts.messages import DeliverDueWebhooks, DeliverWebhook, FetchImage

from darkroom_outbound.app import app
from darkroom_outbound.fetches import FAILURES
from darkroom_outbound.resources import deliveries, fetches


@app.task(name=FetchImage.name, bind=True)
def fetch_image(task: "Task[..., None]", group_id: str, index: int) -> None:
    """Fetch the original of one image. Runs at least once per message, and fetches only if the record says so."""
    fetches().run(group_id, index, failures=task.request.get(FAILURES) or 0)


@app.task(name=DeliverWebhook.name)
def deliver_webhook(group_id: str, run: int, index: int) -> None:
    """Deliver a webhook, if it is due."""
    deliveries().run(group_id, run, index)


@app.task(name=DeliverDueWebhooks.name)
def deliver_due_webhooks() -> None:
    """Send messages for the webhooks that are due and have none."""
    deliveries().run_due()
