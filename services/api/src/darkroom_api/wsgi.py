"""What a WSGI server runs: ``gunicorn --config python:darkroom_api.gunicorn_config darkroom_api.wsgi:app``."""

from darkroom_runtime.logs import take_over_process
from darkroom_runtime.settings import load

from darkroom_api.app import create_app
from darkroom_api.settings import ApiSettings

settings = load(ApiSettings)
take_over_process(settings, "api")
app = create_app(settings)
