"""News between the processes that share a PostgreSQL database: NOTIFY and LISTEN.

News may be lost, and nobody's work depends on it: whoever listens looks at the
database again after a while. So a connection that breaks is made anew, and what was
to be said or heard meanwhile is not kept.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, get_args

from sqlalchemy import make_url

from pixtools.domain.job import Lane
from pixtools.persistence.config import PersistenceConfig

if TYPE_CHECKING:
    from psycopg import Connection

log = logging.getLogger(__name__)
WORK: Final = "pixtools_work"
NEWS: Final = "pixtools_news"
LANES: Final[tuple[Lane, ...]] = get_args(Lane)
PAUSE_AFTER_TROUBLE: Final = 1.0
LOOK_UP: Final = 0.5
"""Seconds between two looks whether a listener is to stop."""
LAST_WORDS: Final = 2.0
AT_ONCE: Final = 500
SAY: Final = (
    "SELECT pg_notify(said.channel, said.payload)"
    " FROM unnest(%s::text[], %s::text[]) AS said(channel, payload)"
)
KEEPALIVE: Final = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""A server that vanished without a word is noticed within half a minute."""


class PostgresBell:
    """A `jobs.ports.work.Bell` that all processes on the database hear.

    A ring costs its caller nothing: a thread of the bell sends what was rung since it
    last did, each ring once.
    """

    def __init__(self, config: PersistenceConfig) -> None:
        self._line = _Line(config, "pixtools-bell")
        self._rung: dict[tuple[str, str], None] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._sender = threading.Thread(target=self._send, name="bell", daemon=True)
        self._sender.start()

    def work(self, lanes: Sequence[Lane] = ("default_queue",)) -> None:
        """Say that stages are ready in these lanes."""
        self._ring([(WORK, lane) for lane in lanes])

    def news(self, job_id: str) -> None:
        """Say that a job or batch has changed."""
        self._ring([(NEWS, job_id)])

    def close(self) -> None:
        """Send what was rung, and stop; later rings are dropped. Harmless twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._sender.join(LAST_WORDS)

    def _ring(self, rings: Sequence[tuple[str, str]]) -> None:
        with self._changed:
            if not self._closed:
                self._rung.update(dict.fromkeys(rings))
                self._changed.notify_all()

    def _send(self) -> None:
        while rings := self._next():
            channels, payloads = zip(*rings, strict=True)
            with self._line as connection:
                if connection:
                    connection.execute(SAY, (list(channels), list(payloads)))
        self._line.close()

    def _next(self) -> list[tuple[str, str]]:
        """What was rung, as soon as anything was; nothing once the bell is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._rung or self._closed)
            rings = list(self._rung)[:AT_ONCE]
            for ring in rings:
                del self._rung[ring]
            return rings


class Listener:
    """Hears the bells of all processes, in a thread of its own.

    `on_work(lane)` and `on_news(job_id)` are called in that thread and must be quick.
    After a connection was lost and made anew, all lanes are said to have work.
    """

    def __init__(
        self,
        config: PersistenceConfig,
        on_work: Callable[[Lane], None],
        on_news: Callable[[str], None],
    ) -> None:
        self._line = _Line(config, "pixtools-listener")
        self._on_work = on_work
        self._on_news = on_news
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self.hears = threading.Event()
        """Set while news arrives."""

    def start(self) -> None:
        """Begin to listen; a database that is away is tried again and again."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening. Harmless twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(LAST_WORDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._line as connection:
                if connection:
                    self._listen(connection)
            self.hears.clear()
            if not self._stop.is_set():
                self._stop.wait(PAUSE_AFTER_TROUBLE)
        self._line.close()

    def _listen(self, connection: Connection) -> None:
        connection.execute(f"LISTEN {WORK}")
        connection.execute(f"LISTEN {NEWS}")
        self.hears.set()
        for lane in LANES:
            self._on_work(lane)
        while not self._stop.is_set():
            for said in connection.notifies(timeout=LOOK_UP):
                self._hear(said.channel, said.payload)

    def _hear(self, channel: str, payload: str) -> None:
        if channel == NEWS:
            self._on_news(payload)
        for lane in LANES:
            if channel == WORK and payload == lane:
                self._on_work(lane)


class _Line:
    """One connection beside the pool: made when needed, dropped when it breaks."""

    def __init__(self, config: PersistenceConfig, name: str) -> None:
        url = make_url(config.url).set(drivername="postgresql")
        given = {key: value for key, value in KEEPALIVE.items() if key not in url.query}
        url = url.update_query_dict(given | {"application_name": name})
        self._address = url.render_as_string(hide_password=False)
        self._name = name
        self._connection: Connection | None = None
        self._well = True

    def __enter__(self) -> Connection | None:
        """The connection, or None while the database is away."""
        from psycopg import Error, connect

        if self._connection is None:
            try:
                self._connection = connect(self._address, autocommit=True)
            except Error as error:
                self._tell(error)
        if self._connection:
            self._well = True
        return self._connection

    def __exit__(
        self, kind: object, error: BaseException | None, trace: object
    ) -> bool:
        """Drop a connection that broke; what was being said is lost."""
        from psycopg import Error

        if error is None:
            return False
        self.close()
        if isinstance(error, Error):
            self._tell(error)
        return isinstance(error, Error)

    def close(self) -> None:
        """Hang up."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _tell(self, error: Exception) -> None:
        """Say once that news does not travel, not every second."""
        if self._well:
            reason = str(error).partition("\n")[0]
            log.warning("news_interrupted", extra={"line": self._name, "why": reason})
        self._well = False
