"""Jobs whose photo stands behind an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pixtools.domain.job import Job
from pixtools.domain.pipeline import Pipeline
from pixtools.jobs.postpone import LONGEST_PAUSE
from pixtools.jobs.submit import IdempotencyKey, Order, Submitted, submit_url
from pixtools.testing.house import RESIZED, House, tiny_gif

URL: Final = "https://photos.example/holiday/cat.gif?signature=secret"
NAME: Final = "cat.gif?signature=secret"
GIF: Final = tiny_gif()


def ask(house: House, *steps: Mapping[str, object], **told: Any) -> Submitted:
    key = told.pop("key", None)
    order = Order(
        pipeline=Pipeline.parse(list(steps) or [RESIZED]),
        idempotency=IdempotencyKey(key, "same") if key else None,
    )
    return submit_url(house.service, order, url=URL, **told)


def asked(house: House, *steps: Mapping[str, object], **told: Any) -> Job:
    return ask(house, *steps, **told).job


def worked(house: House) -> None:
    """Work until nothing is due any more, however long pauses are."""
    while house.work():
        house.clock.advance(LONGEST_PAUSE)
