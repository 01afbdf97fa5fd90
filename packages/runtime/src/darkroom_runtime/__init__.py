"""What every Darkroom process needs to run: settings, logs, Redis, Celery, the group store and blob storage.

It knows nothing of images, HTTP or mail.
"""
