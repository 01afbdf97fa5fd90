"""The codes of everything that can go wrong, for programs to tell apart: of a request, and of an image that failed.

A code never changes its name or its meaning; its sentence may.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ProblemCode(StrEnum):
    """What went wrong, as ``code`` of a problem document or of a failed image."""

    # The request
    INVALID_REQUEST = "invalid_request"
    INVALID_JSON = "invalid_json"
    VALIDATION_FAILED = "validation_failed"
    MISSING_IMAGES = "missing_images"
    TOO_MANY_IMAGES = "too_many_images"
    REQUEST_TOO_LARGE = "request_too_large"
    REQUEST_TIMEOUT = "request_timeout"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    PRECONDITION_FAILED = "precondition_failed"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"
    ENDPOINT_NOT_FOUND = "endpoint_not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    API_KEY_REQUIRED = "api_key_required"
    ADMIN_KEY_REQUIRED = "admin_key_required"
    UNKNOWN_HOST = "unknown_host"
    CROSS_SITE_REQUEST = "cross_site_request"
    EMAIL_DISABLED = "email_disabled"
    LISTING_DISABLED = "listing_disabled"
    PRESET_NOT_ALLOWED = "preset_not_allowed"
    RATE_LIMIT_EXCEEDED = "rate_limit_exceeded"
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused"
    IDEMPOTENCY_KEY_IN_USE = "idempotency_key_in_use"
    # What it asks for
    GROUP_NOT_FOUND = "group_not_found"
    IMAGE_NOT_FOUND = "image_not_found"
    UPLOAD_NOT_FOUND = "upload_not_found"
    RESULT_NOT_AVAILABLE = "result_not_available"
    FILE_EXPIRED = "file_expired"
    TASK_NOT_FOUND = "task_not_found"
    GROUP_RUNNING = "group_running"
    GROUP_ENDED = "group_ended"
    NO_FAILED_IMAGES = "no_failed_images"
    NO_EMAIL_ADDRESS = "no_email_address"
    EMAIL_ADDRESS_CONFLICT = "email_address_conflict"
    NO_WEBHOOK = "no_webhook"
    TASK_ENDED = "task_ended"
    TASK_NOT_CANCELLABLE = "task_not_cancellable"
    # The service
    BACKLOG_FULL = "backlog_full"
    TOO_MANY_TASKS = "too_many_tasks"
    SERVER_BUSY = "server_busy"
    TOO_MANY_UPLOADS = "too_many_uploads"
    TOO_MANY_STREAMS = "too_many_streams"
    QUEUE_UNAVAILABLE = "queue_unavailable"
    QUEUE_FULL = "queue_full"
    STORAGE_UNAVAILABLE = "storage_unavailable"
    STORAGE_FULL = "storage_full"
    INTERNAL_ERROR = "internal_error"
    # A URL
    INVALID_URL = "invalid_url"
    URL_NOT_ALLOWED = "url_not_allowed"
    URL_NOT_FOUND = "url_not_found"
    FETCH_FAILED = "fetch_failed"
    FETCH_TIMEOUT = "fetch_timeout"
    # An image
    UNSUPPORTED_IMAGE = "unsupported_image"
    DAMAGED_IMAGE = "damaged_image"
    IMAGE_TOO_LARGE = "image_too_large"
    RESULT_TOO_LARGE = "result_too_large"
    INVALID_IMAGE_DATA = "invalid_image_data"
    OPERATION_FAILED = "operation_failed"
    TIME_LIMIT_EXCEEDED = "time_limit_exceeded"
    OUT_OF_MEMORY = "out_of_memory"
    ORIGINAL_MISSING = "original_missing"
    WORKER_CRASHED = "worker_crashed"


CODE_OF_STATUS: Mapping[int, ProblemCode] = MappingProxyType(
    {
        400: ProblemCode.INVALID_REQUEST,
        401: ProblemCode.API_KEY_REQUIRED,
        404: ProblemCode.ENDPOINT_NOT_FOUND,
        405: ProblemCode.METHOD_NOT_ALLOWED,
        412: ProblemCode.PRECONDITION_FAILED,
        413: ProblemCode.REQUEST_TOO_LARGE,
        415: ProblemCode.UNSUPPORTED_MEDIA_TYPE,
        416: ProblemCode.RANGE_NOT_SATISFIABLE,
        429: ProblemCode.RATE_LIMIT_EXCEEDED,
        500: ProblemCode.INTERNAL_ERROR,
    }
)
"""The code of a problem that the web framework found, by its HTTP status; ``INVALID_REQUEST`` for any other."""
