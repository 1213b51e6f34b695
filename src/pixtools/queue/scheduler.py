"""`pixtools scheduler`: what has to be done once in a while, by anyone.

Each duty has a thread of its own, so that a broker that is away stops no reaping.
Several schedulers may run: what one takes, the others skip.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from prometheus_client import CollectorRegistry

from pixtools.domain.errors import BrokerUnavailable
from pixtools.domain.job import Lane, Wakeup
from pixtools.queue.asked import Asked
from pixtools.queue.bell import HouseBell
from pixtools.queue.broker import Broker
from pixtools.queue.config import LANES, SchedulerConfig
from pixtools.queue.heartbeat import beat
from pixtools.queue.meters import SchedulerMeters, exposed
from pixtools.queue.reconciling import Reconciling, Wire
from pixtools.queue.rounds import Rounds, about

log = logging.getLogger(__name__)
Post = Callable[[Sequence[Wakeup]], None]
MANY: Final = 20
"""So many wake-ups passed on at once say that there may be more."""

SECOND_LOOK: Final = 1.5
"""Seconds in which wake-ups that are on their way arrive, backstop and all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerDuties:
    """What a scheduler does, as plain callables, so that tests can drive it.

    `relay(post)` passes due wake-ups on and says how many; `due_in()` is the time
    until the next one (negative if it is late), or None; `due()` counts the stages
    that wait and may begin, by lane; `reap()` and `expire()` are rounds of upkeep.
    """

    relay: Callable[[Post], int]
    due_in: Callable[[], timedelta | None]
    due: Callable[[], Mapping[Lane, int]]
    reap: Callable[[], int]
    expire: Callable[[], int]


class Scheduler:
    """The duty threads of one scheduler process. `bell` rings when work is new."""

    def __init__(
        self,
        config: SchedulerConfig,
        duties: SchedulerDuties,
        bell: HouseBell,
        broker: Wire | None = None,
        *,
        registry: CollectorRegistry | None = None,
    ) -> None:
        self._config = config
        self._duties = duties
        self._bell = bell
        self._broker = broker or Broker(config.broker)
        self._stop = threading.Event()
        self._rounds: dict[str, Rounds] = {}
        self._threads: list[threading.Thread] = []
        self.meters = SchedulerMeters(registry)
        self._reconciling = Reconciling(duties.due, self._broker, self.meters)
        self._buried: dict[Lane, int] = {}

    def run(self) -> None:
        """Look after everything until SIGTERM or SIGINT; a second one ends at once."""
        asked = Asked()
        port = self._config.metrics_port
        with asked.listening(), exposed(self.meters.registry, port):
            self.start(turned=asked.say)
            while not asked.to_stop:
                asked.wait(self._config.heartbeat_every)
                self._beat()
            self.stop()

    def start(self, turned: Callable[[], object] = lambda: None) -> None:
        """Start all threads; they end with `stop`.

        `turned` is called when a duty was done, or tried, for the first time.
        """
        config = self._config
        duties: dict[str, Callable[[], float]] = {
            "relay": self._relay,
            "reconcile": self._reconcile,
            "observe": _resting(self._observe, config.reconcile),
            "reap": _resting(self._reap, config.reap),
            "expire": _resting(self._duties.expire, config.expiry),
        }
        for name, duty in duties.items():
            rounds = Rounds(name, duty, self._stop, config.longest_pause, turned)
            thread = threading.Thread(target=rounds.run, name=name, daemon=True)
            self._rounds[name] = rounds
            self._threads.append(thread)
            thread.start()

    def stop(self) -> bool:
        """Finish what was begun, within `stop_within`; False if something was left."""
        self._stop.set()
        self._bell.work()
        until = time.monotonic() + self._config.stop_within
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            return False
        self._broker.close()
        return True

    def _beat(self) -> None:
        """Touch the heartbeat file if everybody is at work; not before all were."""
        file, prompt = self._config.heartbeat_file, dict(self._rounds)
        prompt.pop("expire", None)
        if file is None or not all(each.has_turned for each in prompt.values()):
            return
        longest = max(each.silent_for for each in prompt.values())
        lives = all(thread.is_alive() for thread in self._threads)
        beat(file, well=lives and longest <= self._config.silence)

    def _relay(self) -> float:
        """Pass on what is due; what falls due later, the backstop finds."""
        heard = self._bell.rings
        passed_on = self._duties.relay(self._broker.post)
        if passed_on < MANY and not self._stop.is_set():
            self._bell.wait_for_work(heard, self._config.backstop)
        return 0.0

    def _reconcile(self) -> float:
        doubtful = self._reconciling.look()
        return SECOND_LOOK if doubtful else about(self._config.reconcile)

    def _observe(self) -> None:
        due = self._duties.due_in()
        self.meters.lag.set(max(0.0, -due.total_seconds()) if due else 0.0)
        try:
            for lane in LANES:
                self.meters.consumers.labels(lane).set(self._broker.consumers(lane))
                self._note_dead(lane, self._broker.dead_letters(lane))
        except BrokerUnavailable:
            self.meters.up.set(0)
            raise
        self.meters.up.set(1)

    def _note_dead(self, lane: Lane, count: int) -> None:
        if count > self._buried.get(lane, 0):
            log.error("dead_letters", extra={"queue": lane, "count": count})
        self._buried[lane] = count
        self.meters.dead.labels(lane).set(count)

    def _reap(self) -> None:
        self.meters.reclaimed.inc(self._duties.reap())


def _resting(duty: Callable[[], object], seconds: float) -> Callable[[], float]:
    def done() -> float:
        duty()
        return about(seconds)

    return done
