"""What every Darkroom process needs to run: settings, logs, Redis, Celery, heartbeat and health.

It knows nothing of groups, images, HTTP or mail.
"""
