"""Answers made from models."""

from flask import Response
from pydantic import BaseModel


def as_json(body: BaseModel, status: int = 200) -> Response:
    """The model as JSON."""
    return Response(body.model_dump_json(), status, content_type="application/json")


def accepted(body: BaseModel, location: str) -> Response:
    """The model as JSON with status 202, and the address where it can be followed."""
    response = as_json(body, 202)
    response.headers["Location"] = location
    return response
