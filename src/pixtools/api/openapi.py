"""The OpenAPI 3.1 document: what FastAPI derives, and the bodies read by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, get_args

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from pixtools.api import guarded, schemas
from pixtools.api.headers import SENT
from pixtools.api.idempotency import HEADER
from pixtools.api.problems import Problem
from pixtools.domain.document import WebhookEvent
from pixtools.domain.webhook import MEANINGS, EventType

REF: Final = "#/components/schemas/{model}"
BY_HAND: Final = (
    schemas.NewJob,
    schemas.NewBatch,
    schemas.UploadForm,
    schemas.BatchForm,
    schemas.ClassicForm,
    schemas.SignIn,
    Problem,
    WebhookEvent,
)
IDEMPOTENT: Final = (
    "/v1/jobs",
    "/v1/jobs/{job_id}/retry",
    "/v1/batches",
    "/api/process",
)
TAGS: Final = [
    {"name": "jobs", "description": "One photo, and the files asked of it."},
    {"name": "batches", "description": "Jobs together: one progress, one ZIP."},
    {"name": "usage", "description": "What your jobs have cost."},
    {"name": "webhooks", "description": "Being told, and trusting what is told."},
    {"name": "catalogue", "description": "What this deployment can do."},
    {"name": "files", "description": "Behind signed links: each is a permission."},
    {"name": "pixtools", "description": "The face that PixTools clients know."},
    {"name": "identity", "description": "Signing in with a browser."},
    {"name": "health", "description": "For platforms and monitors."},
]
DESCRIPTION: Final = (
    "A photo in, files out. Errors are `application/problem+json` with a stable "
    "`code`. Every answer carries an `X-Request-ID`: the request's own, if it "
    "brought one."
)


def install(app: FastAPI, public_base_url: str | None) -> None:
    """Let the app describe itself; the description is made once, when asked for."""
    app.openapi = _described(app, public_base_url)  # type: ignore[method-assign]  # FastAPI's documented way


def _described(app: FastAPI, base: str | None) -> Callable[[], dict[str, Any]]:
    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _description(app, base)
        return app.openapi_schema

    return describe


def _description(app: FastAPI, base: str | None) -> dict[str, Any]:
    description = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        servers=[{"url": base}] if base else None,
    )
    used = {tag for item in _operations(description) for tag in item["tags"]}
    description["tags"] = [tag for tag in TAGS if tag["name"] in used]
    known = description.setdefault("components", {}).setdefault("schemas", {})
    _, found = models_json_schema(
        [(model, "validation") for model in BY_HAND], ref_template=REF
    )
    for name, schema in found["$defs"].items():
        known.setdefault(name, schema)
    for path in IDEMPOTENT:
        operation = description["paths"][path]["post"]
        operation.setdefault("parameters", []).append(_key())
    told = {event: {"post": _told(event)} for event in get_args(EventType)}
    description["webhooks"] = told
    _forget_unused_422(description)
    guarded.say(description)
    return description


def _forget_unused_422(description: dict[str, Any]) -> None:
    """FastAPI adds its own 422 wherever a path has a parameter; ours are texts."""
    for operation in _operations(description):
        answer = operation["responses"].get("422", {})
        if "application/json" in answer.get("content", {}):
            del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        description["components"]["schemas"].pop(name, None)


def _operations(description: dict[str, Any]) -> list[dict[str, Any]]:
    items = description["paths"].values()
    return [operation for item in items for operation in item.values()]


def _told(event: EventType) -> dict[str, Any]:
    """What a receiver may be sent."""
    return {
        "operationId": event.replace(".", "_"),
        "tags": ["webhooks"],
        "summary": f"A job is {event.partition('.')[2]}",
        "description": f"{MEANINGS[event]} Signed as Standard Webhooks 1.0 says.",
        "parameters": [
            {
                "name": name,
                "in": "header",
                "description": text,
                "required": True,
                "schema": {"type": "string"},
            }
            for name, text in SENT.items()
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"$ref": REF.format(model="WebhookEvent")}
                }
            },
        },
        "responses": {
            "2XX": {"description": "Heard."},
            "410": {"description": "Tell me nothing more of this."},
            "default": {"description": "It is tried again, after `Retry-After`."},
        },
    }


def _key() -> dict[str, Any]:
    return {
        "name": HEADER,
        "in": "header",
        "required": False,
        "description": "Makes the request safe to repeat for 24 hours; quoted or bare.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,257}$"},
    }
