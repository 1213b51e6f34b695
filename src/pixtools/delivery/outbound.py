"""Threads that tell clients: a look-out that finds what is due, and senders.

They hold no truth. One that dies leaves a lease that runs out, and another sends the
same event by the same id.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Protocol

from pixtools.delivery.config import OutboundConfig
from pixtools.delivery.meters import OutboundMeters
from pixtools.delivery.sender import Sender
from pixtools.domain.errors import PixtoolsError
from pixtools.jobs.service import Service
from pixtools.jobs.tell import Parcel, due_in, give_back, take

log = logging.getLogger(__name__)
LOOK_AGAIN = 1.0


class WorkBell(Protocol):
    """Rings when there may be something to send."""

    @property
    def rings(self) -> int:
        """How often it rang: remember it, look, then wait."""
        ...

    def work(self) -> None:
        """Ring."""
        ...

    def wait_for_work(self, since: int, timeout: float) -> bool:
        """Wait for a ring after `since`; False after `timeout` seconds."""
        ...


class Outbound:
    """Sends what is due, `senders` at once, and looks again after each."""

    def __init__(
        self,
        service: Service,
        sender: Sender,
        bell: WorkBell,
        owner: str,
        *,
        config: OutboundConfig | None = None,
        meters: OutboundMeters | None = None,
    ) -> None:
        self._service = service
        self._sender = sender
        self._bell = bell
        self._owner = owner
        self._config = config or OutboundConfig()
        self._meters = meters or OutboundMeters()
        self._stopping = threading.Event()
        self._slots = threading.Semaphore(self._config.senders)
        self._count = threading.Lock()
        self._doubtful = 0
        self._threads: set[threading.Thread] = set()
        self._away = False

    def start(self) -> None:
        """Start to look; it ends with `stop`."""
        self._spawn("deliveries", self._look_out)

    def stop(self) -> bool:
        """Begin nothing more; False if something was still under way at the end."""
        self._stopping.set()
        self._bell.work()
        until = time.monotonic() + self._config.stop_within
        for thread in tuple(self._threads):
            thread.join(max(0.0, until - time.monotonic()))
        return not self._threads

    def _look_out(self) -> None:
        while not self._stopping.is_set():
            heard = self._bell.rings
            if not self._slots.acquire(timeout=LOOK_AGAIN):
                continue
            parcel = self._taken()
            if parcel:
                self._hand_over(parcel)
                continue
            self._slots.release()
            if not self._stopping.is_set():
                self._bell.wait_for_work(heard, self._rest())

    def _hand_over(self, parcel: Parcel) -> None:
        try:
            self._spawn("sender", partial(self._drain, parcel))
        except RuntimeError:  # no more threads: another one drains it, or its lease
            log.exception("webhook_crashed")
            self._note(parcel, -1)
            self._slots.release()

    def _drain(self, parcel: Parcel | None) -> None:
        """Send, and go on with whatever is due then: a host may have room again."""
        try:
            while parcel:
                parcel = self._sent(parcel)
        finally:
            self._slots.release()

    def _sent(self, parcel: Parcel) -> Parcel | None:
        try:
            if self._stopping.is_set():
                give_back(self._service, parcel.delivery)
                return None
            self._meters.note(self._sender.send(parcel))
        except PixtoolsError as error:  # it goes out again when its lease runs out
            self._lose(error)
            return None
        except Exception:
            log.exception("webhook_crashed")
            return None
        finally:
            self._note(parcel, -1)
        return self._taken()

    def _taken(self) -> Parcel | None:
        """The next one to send, if there is one and we go on."""
        if self._stopping.is_set():
            return None
        try:
            steady = self._doubtful >= self._config.doubtful
            parcel = take(self._service, self._owner, steady=steady)
        except PixtoolsError as error:
            self._lose(error)
            return None
        except Exception:
            log.exception("webhook_crashed")
            self._stopping.wait(self._config.pause_after_trouble)
            return None
        self._away = False
        if parcel:
            self._note(parcel, 1)
        return parcel

    def _note(self, parcel: Parcel, by: int) -> None:
        with self._count:
            self._doubtful += by * parcel.doubtful

    def _rest(self) -> float:
        """Until the next one is due; what is late waits for its host."""
        try:
            due = due_in(self._service)
        except Exception:  # noqa: BLE001 - said by whoever takes
            due = None
        if due is None or due <= timedelta():
            return self._config.backstop
        return min(self._config.backstop, due.total_seconds())

    def _lose(self, error: PixtoolsError) -> None:
        if not self._away:
            log.warning("webhooks_wait", extra={"reason": error.detail})
        self._away = True
        self._stopping.wait(self._config.pause_after_trouble)

    def _spawn(self, name: str, body: Callable[[], None]) -> None:
        def run() -> None:
            try:
                body()
            finally:
                self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.add(thread)
        thread.start()
