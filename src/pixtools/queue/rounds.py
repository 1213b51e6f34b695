"""A duty done again and again, whatever happens to it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Final

from pixtools.domain.errors import PixtoolsError

log = logging.getLogger(__name__)
FIRST_PAUSE: Final = 0.2
SPREAD: Final = 0.2


class Rounds:
    """Calls `duty`, rests for as many seconds as it returns, and so on until `stop`.

    A duty that can't be done is tried again after growing pauses, at most `longest`
    seconds. That something is away is said once, and once that it is back; a fault
    of ours each time. `turned` is called after the first round.
    """

    def __init__(
        self,
        name: str,
        duty: Callable[[], float],
        stop: threading.Event,
        longest: float,
        turned: Callable[[], object] = lambda: None,
    ) -> None:
        self._name = name
        self._duty = duty
        self._stop = stop
        self._longest = longest
        self._failed = 0
        self._turned = turned
        self._turned_at: float | None = None

    @property
    def has_turned(self) -> bool:
        """Whether a round is over, however it went."""
        return self._turned_at is not None

    @property
    def silent_for(self) -> float:
        """Seconds since the end of the last round; 0 before the first."""
        at = self._turned_at
        return 0.0 if at is None else time.monotonic() - at

    def run(self) -> None:
        """Go on until told to stop."""
        while not self._stop.is_set():
            rest = self._done()
            first, self._turned_at = not self.has_turned, time.monotonic()
            if first:
                self._turned()
            self._stop.wait(rest)

    def _done(self) -> float:
        try:
            rest = self._duty()
        except PixtoolsError as error:
            if not self._failed:
                reason = {"duty": self._name, "reason": error.detail}
                log.warning("duty_waits", extra=reason)
            return self._pause()
        except Exception:
            log.exception("duty_failed", extra={"duty": self._name})
            return self._pause()
        if self._failed:
            log.info("duty_goes_on", extra={"duty": self._name, "tries": self._failed})
        self._failed = 0
        return rest

    def _pause(self) -> float:
        self._failed += 1
        return min(self._longest, FIRST_PAUSE * 2.0 ** min(self._failed - 1, 16))


def about(seconds: float) -> float:
    """Roughly this long, so that several schedulers do not march in step."""
    return seconds * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - no secret
