"""The application factory."""

from darkroom_runtime.celery_config import make_celery, publisher
from darkroom_runtime.settings import load
from flask import Flask
from flask_openapi import OpenAPI

from darkroom_api.groups import (
    cancellation,
    deletion,
    listing,
    preflight,
    preset_list,
    process_images,
    results,
    retry,
    status,
    timeline,
    webhooks,
)
from darkroom_api.http.client_address import init_client_address
from darkroom_api.http.error_handlers import init_error_handlers
from darkroom_api.http.foreign_pages import init_foreign_pages, refuse_head_where_it_would_act
from darkroom_api.http.openapi import INFO, SECURITY_SCHEMES
from darkroom_api.http.parameters import init_query_parameters
from darkroom_api.http.paths import init_base_path
from darkroom_api.http.problems import ProblemDetails
from darkroom_api.http.request_log import init_request_log
from darkroom_api.http.security_headers import init_security_headers
from darkroom_api.http.validation import refuse
from darkroom_api.mail import emails, newsletter
from darkroom_api.mail.emails import init_mail_limits
from darkroom_api.operators import control, diagnostics, health, tasks
from darkroom_api.operators.metrics import init_metrics
from darkroom_api.page import docs, page
from darkroom_api.services import init_services
from darkroom_api.settings import ApiSettings
from darkroom_api.uploads import images
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
    app.url_map.merge_slashes = False  # it would answer with a redirect to whatever host the client names
    app.config.from_mapping(
        CELERY=publisher(settings),
        MAX_CONTENT_LENGTH=settings.max_request_bytes,
        MAX_FORM_PARTS=settings.max_images + 20,  # the images, and room for every other member
    )
    init_celery(app)
    services = init_services(app, settings)
    init_request_log(app)
    init_metrics(app)
    init_security_headers(app, services.results_origin)
    init_error_handlers(app)
    init_client_address(app, settings)
    init_base_path(app, settings.public_path)
    init_foreign_pages(app, settings)
    init_query_parameters(app)
    init_mail_limits(app)
    for views in (images, process_images, preflight, preset_list, listing, status, cancellation, retry, deletion):
        app.register_api(views.blueprint)
    for views in (results, timeline, webhooks):
        app.register_api(views.blueprint)
    for views in (emails, newsletter, tasks, diagnostics, control, health):
        app.register_api(views.blueprint)
    app.register_api(newsletter.link_pages)
    app.register_api(page.notices)
    app.register_blueprint(docs.blueprint)
    app.register_blueprint(page.blueprint)
    refuse_head_where_it_would_act(app)
    return app


def init_celery(app: Flask) -> None:
    """Set Celery up from the application's configuration. It only ever publishes."""
    app.extensions["celery"] = make_celery(app.import_name, app.config["CELERY"])
