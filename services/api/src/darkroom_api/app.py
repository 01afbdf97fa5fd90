"""The application factory."""

from darkroom_runtime.settings import load
from flask_openapi import OpenAPI

from darkroom_api import extensions
from darkroom_api.groups import archive, blur, cancel, events, process_images, results, retry, status
from darkroom_api.groups.responses import ProblemDetails
from darkroom_api.http.client_address import init_client_address
from darkroom_api.http.error_handlers import init_error_handlers
from darkroom_api.http.foreign_pages import init_foreign_pages
from darkroom_api.http.methods import refuse_head_where_it_would_act
from darkroom_api.http.openapi import INFO, SECURITY_SCHEMES
from darkroom_api.http.query_parameters import init_query_parameters
from darkroom_api.http.request_log import init_request_log
from darkroom_api.http.security_headers import init_security_headers
from darkroom_api.http.validation import refuse
from darkroom_api.mail import link_pages as mail_links
from darkroom_api.mail import send_email, send_images, subscriptions
from darkroom_api.mail.limits import init_mail_limits
from darkroom_api.operators import control, diagnostics, health, tasks
from darkroom_api.operators.metrics import init_metrics
from darkroom_api.page import docs, page
from darkroom_api.settings import ApiSettings
from darkroom_api.uploads.staging import StagingRequest


def create_app(settings: ApiSettings | None = None) -> OpenAPI:
    """The API as a Flask application, by these settings or by those of the environment."""
    settings = settings or load(ApiSettings)
    app = OpenAPI(
        "darkroom_api",
        info=INFO,
        security_schemes=SECURITY_SCHEMES,
        doc_ui=False,  # the document and its page are served by the blueprint `docs`
        validation_error_callback=refuse,
        validation_error_model=ProblemDetails,
        validation_error_status=500,  # documented by every operation, so that none is given what it never answers
    )
    app.openapi_version = "3.1.0"  # what the tools that read it know
    app.request_class = StagingRequest
    extensions.init_settings(app, settings)
    extensions.init_celery(app)
    extensions.init_stores(app, settings)
    init_request_log(app)
    init_metrics(app)
    init_security_headers(app)
    init_error_handlers(app)
    init_client_address(app, settings)
    init_foreign_pages(app, settings)
    init_query_parameters(app)
    extensions.init_mail(app, settings)
    init_mail_limits(app)
    for views in (process_images, blur, status, events, cancel, retry, results, archive):
        app.register_api(views.blueprint)
    for views in (send_images, send_email, subscriptions, mail_links):
        app.register_api(views.blueprint)
    for views in (tasks, diagnostics, control, health):
        app.register_api(views.blueprint)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(page.blueprint)
    refuse_head_where_it_would_act(app)
    return app
