"""A news desk that the test rings, and a house around it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

from pixtools.api.callers import Callers
from pixtools.api.config import ApiConfig
from pixtools.api.deps import House
from pixtools.api.metrics import meters
from pixtools.api.probing import Watch
from pixtools.api.sign_ins import SignIns
from pixtools.api.threads import Threads
from pixtools.domain.document import (
    ArchiveDocument,
    JobDocument,
    SourceDocument,
    UsageDocument,
)
from pixtools.jobs.service import Service

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class ScriptedDesk:
    """A desk whose news are rung by the test; counts how often it was waited on."""

    def __init__(self) -> None:
        self.closed = False
        self.waits: list[float] = []
        self.listening: list[str] = []
        self._news = asyncio.Event()

    @contextmanager
    def subscribe(self, subject: str) -> Iterator[ScriptedDesk]:
        self.listening.append(subject)
        try:
            yield self
        finally:
            self.listening.remove(subject)

    async def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        self._news.clear()
        return True

    def close(self) -> None:
        self.closed = True
        self.ring()

    def ring(self) -> None:
        self._news.set()


def house(desk: ScriptedDesk, **config: Any) -> House:
    counted, threads = meters(), Threads()
    return House(
        config=ApiConfig(**config),
        service=cast("Service", None),
        desk=desk,
        meters=counted,
        callers=Callers(
            gate=None,
            public_base_url=None,
            sign_ins=SignIns(None, counted),
            threads=threads,
        ),
        watch=Watch({}, timeout=1, freshness=1),
        needed=(),
    )


def job(
    *, done: bool = False, progress: float = 0.0, zipping: bool = False
) -> JobDocument:
    archive = ArchiveDocument(status="pending") if zipping else None
    return JobDocument(
        job_id="j",
        status="succeeded" if done else "processing",
        progress=progress,
        created_at=NOW,
        finished_at=NOW if done else None,
        source=SourceDocument(),
        outputs=[],
        archive=archive,
        usage=UsageDocument(),
        links={},
    )
