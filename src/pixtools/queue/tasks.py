"""One Celery task for each contract. They all do the same: spend the token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from celery import Celery

from pixtools.queue.contracts import Contract
from pixtools.queue.slots import Slots


def register(app: Celery, contracts: Sequence[Contract], slots: Slots) -> None:
    """Let the app know every task that this release understands."""
    for contract in contracts:
        app.task(_task(slots), name=contract.name, bind=True, typing=False)


def _task(slots: Slots) -> Any:  # noqa: ANN401 - Celery has no types
    def wake(task: Any, **token: Any) -> None:  # noqa: ANN401 - as above
        del token  # which stage is next, the database says
        slots.serve(task.request.delivery_info["routing_key"], task.name)

    return wake
