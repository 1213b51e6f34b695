"""The pages of docs/reference about HTTP, made by scripts/reference.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pixtools.api.config import ApiConfig
from pixtools.api.forecasts import DryRunDocument
from pixtools.api.headers import ASKED, SENT, TOLD
from pixtools.api.metering import UsageList
from pixtools.api.schemas import LimitsDocument
from pixtools.api.webhook_documents import (
    DeliveryList,
    NewSandbox,
    NewSigningSecret,
    SandboxDocument,
    SigningSecrets,
)
from pixtools.domain import webhook
from pixtools.domain.document import BatchDocument, JobDocument, WebhookEvent
from pixtools.domain.events import MEANINGS
from pixtools.jobs import sandbox
from pixtools.settings import Settings
from pixtools.wiring.limits import SIGN_IN_WINDOW, SIGN_INS

MADE = "<!-- Made by scripts/reference.py from the declarations: change those. -->\n"
NO_LIMITS = ("port", "metrics_port", "workers", "database_pool_size")
"""Numbers that are set and bound no client."""
SCHEDULES = ("webhook_retry_seconds",)
BOUNDS = {
    "max_json_bytes": "Bytes of a JSON body",
    "max_field_bytes": "Bytes of a form's text field",
    "max_fields": "Text fields of a form",
    "max_client_metadata_bytes": "Bytes of `metadata`, the client's own words",
    "idle_timeout": "Seconds that the next piece of a body may take",
}

FIXED = {
    "wrong keys": f"From one address: {SIGN_INS} in {SIGN_IN_WINDOW:g} seconds.",
    "answer of a receiver": f"Bytes of it that are kept: {webhook.MEMORY:,}.",
    "message to a sandbox": f"Bytes of its body: {sandbox.LARGEST:,}.",
    "messages of a sandbox": f"The newest that are kept: {sandbox.KEPT}.",
}
ANSWERS = (
    JobDocument, BatchDocument, UsageList, DryRunDocument, WebhookEvent, DeliveryList,
    NewSigningSecret, SigningSecrets, NewSandbox, SandboxDocument,
)  # fmt: skip


def pages() -> dict[str, str]:
    """Each page by its file's name."""
    return {"limits.md": limits(), "http.md": http()}


def limits() -> str:
    """Every limit, and by which setting it moves."""
    parts = ["# Limits\n", MADE]
    parts.append(
        "What a deployment keeps to is told by `GET /v1/limits`, and how near a job "
        "would come by `POST /v1/jobs?dry_run=true`. In brackets: the "
        "[setting](settings.md) that moves a limit.\n"
    )
    parts.append(_fields(LimitsDocument.model_json_schema()))
    parts.append("## Other limits that are set\n")
    parts.append(_table("setting", _settings("\n".join(parts)), "what it bounds"))
    parts.append("## Of one request\n")
    bounds = {n: f"{text}: {getattr(ApiConfig(), n):,}." for n, text in BOUNDS.items()}
    parts.append(_table("bound", bounds, "what it bounds"))
    parts.append("## Of keys and webhooks\n")
    rows = [f"| {what} | {text} |" for what, text in FIXED.items()]
    parts.append("\n".join(["| of what | bound |", "|---|---|", *rows]) + "\n")
    return "\n".join(parts)


def http() -> str:
    """Headers, events, and the fields of what clients read."""
    parts = ["# Headers, events and fields\n", MADE]
    parts.append(
        "Routes, parameters and answers stand at `/docs` and in `/openapi.json` of "
        "every server; refusals in [errors](errors.md).\n"
    )
    for title, headers in (("Headers you send", ASKED), ("Headers you read", TOLD)):
        parts += [f"## {title}\n", _table("header", headers)]
    parts.append("## Events of a stream\n")
    parts.append(
        "`data` of each is the whole document, of a `delivery` the message; `id` "
        "resumes the stream.\n"
    )
    parts.append(_table("event", MEANINGS))
    parts.append("## Headers and events of a webhook\n")
    parts.append("How to verify them: [webhooks](../how-to/webhooks.md).\n")
    parts.append(_table("header", SENT))
    parts.append(_table("event", webhook.MEANINGS))
    for model in ANSWERS:
        schema = model.model_json_schema(mode="serialization")
        for name, part in [(model.__name__, schema), *schema.get("$defs", {}).items()]:
            heading = f"## {name}\n"
            if heading not in parts:
                about = part.get("description", "").strip()
                parts += [heading, f"{about}\n", _fields(part)]
    return "\n".join(parts)


def _fields(schema: Mapping[str, Any]) -> str:
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for name, field in schema["properties"].items():
        meaning = field.get("description", "")
        rows.append(f"| `{name}` | {_type(field)} | {meaning} |")
    return "\n".join(rows) + "\n"


def _type(schema: Mapping[str, Any]) -> str:
    branches = schema.get("anyOf") or schema.get("oneOf")
    if branches:
        return " or ".join(_type(branch) for branch in branches)
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{w}`" for w in schema.get("enum", [schema.get("const")]))
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "any"))


def _settings(told: str) -> dict[str, str]:
    """Every number that is set and not told of yet, or is none of a client's."""
    return {
        name.upper(): f"{field.description} Default: {_shown(field.default)}."
        for name, field in Settings.model_fields.items()
        if (_is_number(field.default) or name in SCHEDULES)
        and name not in NO_LIMITS
        and f"({name.upper()})" not in told
    }


def _is_number(default: object) -> bool:
    return isinstance(default, int | float) and not isinstance(default, bool)


def _shown(default: object) -> str:
    return f"{default:,}" if isinstance(default, int | float) else f"`{default}`"


def _table(what: str, meanings: Mapping[str, str], about: str = "meaning") -> str:
    rows = [f"| {what} | {about} |", "|---|---|"]
    rows += [f"| `{name}` | {text} |" for name, text in meanings.items()]
    return "\n".join(rows) + "\n"
