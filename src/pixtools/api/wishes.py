"""From checked bodies to orders that the verbs understand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException

from pixtools.api import bodies
from pixtools.api.deps import Asker, House
from pixtools.api.schemas import WISH, NewJob, Wish
from pixtools.api.uploads import wrong
from pixtools.api.webhooks import checked_url
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.presets import preset_named
from pixtools.jobs.submit import IdempotencyKey, Order

FORM_FIELDS = frozenset(
    {"pipeline", "preset", "archive", "webhook_url", "metadata", "batch_id"}
)
_SWITCH = {"true": True, "1": True, "false": False, "0": False}


def order(
    house: House,
    asker: Asker,
    wish: Wish,
    idempotency: IdempotencyKey | None = None,
) -> Order:
    """The order that a wish stands for; raises InvalidRequest."""
    if isinstance(wish, NewJob):
        checked_url(wish.url, name="url")
    return Order(
        tenant=asker.tenant,
        pipeline=_pipeline(house, wish),
        preset=wish.preset,
        archive=wish.archive,
        webhook_url=checked_url(wish.webhook_url),
        webhook_base=house.base,
        client_metadata=_metadata(house, wish.metadata),
        batch_id=wish.batch_id,
        request_id=asker.request_id,
        traceparent=asker.traceparent,
        idempotency=idempotency,
    )


def wish_of_form(fields: Mapping[str, str]) -> Wish:
    """Read a form's text fields, of which some hold JSON."""
    wish: dict[str, Any] = dict(fields)
    for name in ("pipeline", "metadata"):
        if name in wish:
            wish[name] = _json(name, wish[name])
    if "archive" in wish:
        wish["archive"] = switch("archive", wish["archive"])
    return bodies.checked(WISH, {k: v for k, v in wish.items() if v != ""})


def switch(name: str, text: str) -> bool:
    """A form's text as true or false."""
    if text.strip().lower() not in _SWITCH:
        raise wrong(f"/{name}", f"Expected true or false for {name}.")
    return _SWITCH[text.strip().lower()]


def _pipeline(house: House, wish: Wish) -> Pipeline:
    if wish.preset is not None:
        return preset_named(wish.preset).pipeline
    most = house.service.rules.limits.max_steps
    return Pipeline.parse(wish.pipeline, max_steps=most)


def _metadata(house: House, metadata: dict[str, Any]) -> dict[str, Any]:
    limit = house.config.max_client_metadata_bytes
    if len(bodies.canonical(metadata)) > limit:
        raise wrong("/metadata", f"Expected metadata of at most {limit} bytes.")
    return metadata


def _json(name: str, text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return bodies.parse_json(text)
    except HTTPException as error:
        raise wrong(f"/{name}", f"Expected JSON for {name}: {error.detail}") from None
