"""Requests that have to be refused: who is asked what, and the answer that is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

PHOTO = b"the photo"
"""Stands in a table for a small, right JPEG."""

MISSING = "01900000-0000-7000-8000-000000000000"
WIDTH = {"id": "a", "action": "resize", "width": 64, "format": "webp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request. `{done}`, `{created}` and `{closed}` in it stand for ids."""

    method: str
    path: str
    files: tuple[tuple[str, bytes], ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a request is refused: status, code, and the fields that are named."""

    asked: Asked
    status: int
    code: str
    pointers: tuple[str, ...] = ()


def refusals(
    table: Mapping[str, tuple[Asked, int, str, str | None]],
) -> list[Any]:
    """A table as pytest's parameters."""
    return [
        pytest.param(
            Refusal(asked, status, code, (pointer,) if pointer else ()), id=name
        )
        for name, (asked, status, code, pointer) in table.items()
    ]


def form(
    *,
    files: tuple[tuple[str, bytes], ...] = (("photo.jpg", PHOTO),),
    headers: Mapping[str, str] | None = None,
    path: str = "/v1/jobs",
    **fields: Any,
) -> Asked:
    """POST a photo with a form; what is no text is sent as JSON."""
    texts = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in fields.items()
    }
    return Asked(
        method="POST", path=path, files=files, fields=texts, headers=headers or {}
    )


def steps(*pipeline: Any) -> Asked:
    """POST a photo with a pipeline."""
    return form(pipeline=list(pipeline))


def step(**options: Any) -> Asked:
    """POST a photo with one step: a right one but for these options."""
    changed = {**WIDTH, **options}
    return steps({name: value for name, value in changed.items() if value is not None})


def mark(**options: Any) -> Asked:
    """POST a photo with one watermark."""
    return steps(
        {
            "id": "a",
            "action": "watermark",
            "format": "png",
            "watermark": {"text": "©", **options},
        }
    )


def order(**body: Any) -> Asked:
    """POST a job whose photo comes later."""
    right = {"source_type": "s3_presigned", "pipeline": [WIDTH]}
    return Asked(method="POST", path="/v1/jobs", json={**right, **body})


def raw(
    content: bytes, kind: str = "application/json", path: str = "/v1/jobs"
) -> Asked:
    """POST bytes as they are."""
    headers = {"Content-Type": kind} if kind else {}
    return Asked(method="POST", path=path, content=content, headers=headers)


def get(path: str) -> Asked:
    """GET."""
    return Asked(method="GET", path=path)


def post(path: str, **more: Any) -> Asked:
    """POST without a body."""
    return Asked(method="POST", path=path, **more)


def process(operations: Any = ("webp",), params: Any = None, **more: Any) -> Asked:
    """POST /api/process."""
    if params is not None:
        more["operation_params"] = params
    return form(path="/api/process", operations=operations, **more)
