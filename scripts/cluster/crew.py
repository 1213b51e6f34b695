"""All processes of the cluster: kept alive, and ended in order."""

from __future__ import annotations

import queue
import signal
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from types import FrameType

from scripts.cluster.errors import CannotRun
from scripts.cluster.member import Member
from scripts.cluster.voice import Voice

RESTARTS, WINDOW = 5, 120.0
"""So many starts after deaths are allowed to one process within so many seconds."""
READY_SECONDS = 60.0
PAUSE = 0.1
LOSING_PATIENCE = 2
"""The second Ctrl-C kills."""


class Crew:
    """Processes in the order in which they end; they start in the opposite one."""

    def __init__(self, ranks: Sequence[Sequence[Member]], voice: Voice) -> None:
        self._ranks = ranks
        self._voice = voice
        self._events: queue.SimpleQueue[Member | None] = queue.SimpleQueue()
        self._deaths: dict[str, deque[float]] = defaultdict(deque)
        self._asked = 0
        voice.expect(member.name for rank in ranks for member in rank)

    @property
    def members(self) -> list[Member]:
        """Everybody, in the order in which they start."""
        return [member for rank in reversed(self._ranks) for member in rank]

    def heed_signals(self) -> None:
        """From now on Ctrl-C, a closed terminal and SIGTERM end the crew in order."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._heed)

    def start(self) -> bool:
        """Start all and wait until all are ready; False if asked to stop meanwhile.

        Raises CannotRun if one ends instead, or takes too long.
        """
        for member in self.members:
            self._start(member)
        deadline = time.monotonic() + READY_SECONDS
        while not all(_is_ready(member) for member in self.members):
            for member in self.members:
                if not member.runs and not self._asked:
                    raise CannotRun(f"{member.name} {member.end}{member.last_words}.")
            if time.monotonic() > deadline:
                raise CannotRun(f"{self._late()} not ready after {READY_SECONDS:g} s.")
            if self._asked:
                return False
            time.sleep(PAUSE)
        return True

    def keep_up(self) -> None:
        """Until asked to stop; whoever dies is started again, within bounds.

        Raises CannotRun if one dies too often.
        """
        while True:
            dead = self._events.get()
            if self._asked:
                return
            if dead is not None and not dead.runs:
                self._replace(dead)

    def stop(self) -> None:
        """End rank after rank; who takes too long, or Ctrl-C again, is killed."""
        for rank in self._ranks:
            living = [member for member in rank if member.runs]
            for member in living:
                self._voice.tell(f"cluster: asking {member.name} to end.")
                member.ask_to_end()
            for member in living:
                self._wait(member)

    def _replace(self, member: Member) -> None:
        deaths, now = self._deaths[member.name], time.monotonic()
        deaths.append(now)
        while deaths[0] < now - WINDOW:
            deaths.popleft()
        if len(deaths) > RESTARTS:
            often = f"{member.name} {member.end}, {len(deaths)} times in {WINDOW:g} s"
            raise CannotRun(f"{often}{member.last_words}.")
        self._voice.tell(
            f"cluster: {member.name} {member.end}; starting it again "
            f"({len(deaths)} of {RESTARTS} times in {WINDOW:g} s)."
        )
        # The first time at once; what dies again and again is given some rest.
        self._rest(0.25 * 2 ** len(deaths) if len(deaths) > 1 else 0)
        if not self._asked:
            self._start(member)

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._asked and time.monotonic() < until:
            time.sleep(PAUSE)

    def _start(self, member: Member) -> None:
        member.start(self._voice, self._events.put)

    def _wait(self, member: Member) -> None:
        until = time.monotonic() + member.seconds
        while not member.wait(PAUSE):
            impatient = self._asked >= LOSING_PATIENCE
            if impatient or time.monotonic() > until:
                why = "you asked again" if impatient else f"{member.seconds:g} s are up"
                self._voice.tell(f"cluster: killing {member.name}: {why}.")
                member.kill()
                return

    def _late(self) -> str:
        names = [member.name for member in self.members if not member.is_ready]
        return f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}"

    def _heed(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._asked += 1
        self._events.put(None)


def _is_ready(member: Member) -> bool:
    member.is_ready = member.is_ready or (member.runs and member.ready(member))
    return member.is_ready
