"""News between processes: PostgreSQL carries a ring from one house to the others.

A ring is never the truth. What is lost is found by whoever looks at the database
again; so nothing here waits for a server, and nothing is kept for one that is away.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final, get_args

import psycopg
from sqlalchemy import make_url

from pixtools.domain.job import Lane
from pixtools.jobs.ports.work import Call
from pixtools.persistence.config import PersistenceConfig
from pixtools.persistence.patient import PatientConnection, connect

log = logging.getLogger(__name__)
WORK: Final = "pixtools_work"
NEWS: Final = "pixtools_news"
CALLS: Final[tuple[Call, ...]] = (*get_args(Lane), "deliveries")

MOST_WAITING: Final = 10_000
"""Rings that are kept while one is on its way; more are dropped."""
MOST_BYTES: Final = 7_999
"""PostgreSQL's own limit of what a notification may say."""
SEND_EVERY: Final = 0.01
"""Seconds between two notifications, so that a storm is a few of them."""
AGAIN_AFTER: Final = 1.0
PATIENCE: Final = 5.0
HEAR_FOR: Final = 0.25
CHECK_EVERY: Final = 10.0
"""Seconds of silence after which a listener asks whether anybody is there."""

_SEND: Final = (
    "SELECT pg_notify(channel, said)"
    " FROM unnest(%s::text[], %s::text[]) AS rings (channel, said)"
)


class PostgresBell:
    """Rings in every process that listens. Rung off the caller's thread, coalesced."""

    def __init__(self, config: PersistenceConfig) -> None:
        self._config = config
        self._rung = threading.Condition()
        self._waiting: dict[tuple[str, str], None] = {}
        self._closed = threading.Event()
        self._line = _Line(config.url, "pixtools-bell")
        self._sender = threading.Thread(target=self._send, name="bell", daemon=True)
        self._begun = False

    def work(self, calls: Sequence[Call] = ("default_queue",)) -> None:
        """Stages are ready, or deliveries."""
        self._ring([(WORK, call) for call in calls])

    def news(self, job_id: str) -> None:
        """A job (or batch) has changed."""
        self._ring([(NEWS, job_id)])

    def close(self) -> None:
        """Ring what was asked for, if that is quickly done; later rings are dropped."""
        with self._rung:
            self._closed.set()
            self._rung.notify()
            begun = self._begun
        if begun:
            self._sender.join(PATIENCE)

    def _ring(self, rings: Sequence[tuple[str, str]]) -> None:
        with self._rung:
            if self._closed.is_set() or len(self._waiting) >= MOST_WAITING:
                return
            self._waiting.update(dict.fromkeys(filter(_fits, rings)))
            if not self._begun:
                self._begun = True
                self._sender.start()
            self._rung.notify()

    def _send(self) -> None:
        while rings := self._next():
            channels, said = map(list, zip(*rings, strict=True))
            # Twice: the first may only find out that the server was restarted.
            if any(self._line.tell(_SEND, channels, said) for _ in range(2)):
                self._closed.wait(SEND_EVERY)
            else:
                self._ring(rings)
                self._closed.wait(AGAIN_AFTER)
        self._line.close()

    def _next(self) -> list[tuple[str, str]]:
        """All that waits, as soon as something does; empty when the bell is closed."""
        with self._rung:
            self._rung.wait_for(lambda: self._waiting or self._closed.is_set())
            rings = list(self._waiting)
            self._waiting.clear()
            return rings


class Listener:
    """Hears what others ring, on a thread of its own; comes back when it was cut off.

    `on_work(call)` and `on_news(job_id)` are called in that thread and must be quick;
    without `on_news` nothing is heard of jobs.
    Whenever it has connected, all are called to work: it may have missed some.
    """

    def __init__(
        self,
        config: PersistenceConfig,
        on_work: Callable[[Call], None],
        on_news: Callable[[str], None] | None,
    ) -> None:
        self._on_work = on_work
        self._on_news = on_news
        self._closed = threading.Event()
        channels = (WORK, NEWS) if on_news else (WORK,)
        self._line = _Line(config.url, "pixtools-listener", *channels)
        self._hearer = threading.Thread(target=self._hear, name="news", daemon=True)
        self.hears = threading.Event()
        """Set while news arrives."""

    def start(self) -> None:
        """Begin to listen; a database that is away is tried again and again."""
        self._hearer.start()

    def close(self) -> None:
        """Listen no more."""
        self._closed.set()
        if self._hearer.is_alive():
            self._hearer.join(PATIENCE)

    def _hear(self) -> None:
        while not self._closed.is_set():
            heard = self._line.hear(self._heard, self._missed, self._closed.is_set)
            self.hears.clear()
            self._closed.wait(SEND_EVERY if heard else AGAIN_AFTER)
        self._line.close()

    def _missed(self) -> None:
        self.hears.set()
        for call in CALLS:
            self._heard(WORK, call)

    def _heard(self, channel: str, said: str) -> None:
        try:
            if channel == NEWS and self._on_news:
                self._on_news(said)
            elif said in CALLS:
                self._on_work(said)
        except Exception:
            log.exception("news_unheard")


class _Line:
    """One connection that is opened when needed, and again when it broke."""

    def __init__(self, url: str, name: str, *channels: str) -> None:
        named = make_url(url).update_query_dict({"application_name": name})
        self._url = named.render_as_string(hide_password=False)
        self._name = name
        self._channels = channels
        self._open: PatientConnection | None = None
        self._lost = False

    def tell(self, statement: str, *values: object) -> bool:
        """Say something; False if nobody is there."""
        try:
            self._connected().execute(statement, values)
        except psycopg.Error as error:
            self._lose(error)
            return False
        return True

    def hear(
        self,
        heard: Callable[[str, str], None],
        begun: Callable[[], None],
        ended: Callable[[], bool],
    ) -> bool:
        """Listen until it is ended, or the line breaks; False if it never was open."""
        opened = False
        try:
            connection = self._connected()
            opened = True
            begun()
            silent = 0.0
            while not ended():
                silent += HEAR_FOR
                for note in connection.notifies(timeout=HEAR_FOR):
                    heard(note.channel, note.payload)
                    silent = 0.0
                if silent >= CHECK_EVERY:
                    connection.execute("SELECT 1")
                    silent = 0.0
        except psycopg.Error as error:
            self._lose(error)
        return opened

    def close(self) -> None:
        """Hang up."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connected(self) -> PatientConnection:
        if self._open is None:
            opened = connect(self._url, patience=PATIENCE, autocommit=True)
            for channel in self._channels:
                opened.execute(f"LISTEN {channel}")
            self._open = opened
            if self._lost:
                log.info("news_back", extra={"line": self._name})
            self._lost = False
        return self._open

    def _lose(self, error: psycopg.Error) -> None:
        if not self._lost:
            extra = {"line": self._name, "why": str(error).partition("\n")[0]}
            log.warning("news_lost", extra=extra)
        self._lost = True
        self.close()


def _fits(ring: tuple[str, str]) -> bool:
    said = ring[1]
    return "\0" not in said and len(said.encode()) <= MOST_BYTES
