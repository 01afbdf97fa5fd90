"""Pipelines as data: what travels in messages and stands in records. What they mean, imaging knows."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

PipelineData: TypeAlias = Sequence[Mapping[str, Any]]
"""A list of operations, each with its name as ``op`` and its arguments: plain JSON."""
