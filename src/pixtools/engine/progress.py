"""How far a render is, and how it is stopped: the caller's `checkpoint`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

import pyvips

Checkpoint = Callable[[float], None]
"""Told the done share, 0..1; may raise to stop the work."""

_EVERY_SECONDS = 0.02
_BRIEF = 20.0
"""Pieces of so few milliseconds are not watched: each look costs one of fifty."""


class _Eval(Protocol):
    """libvips' VipsProgress."""

    percent: int


class Progress:
    """Adds up weighted pieces of work and passes their sum to the checkpoint."""

    def __init__(self, checkpoint: Checkpoint, total: float) -> None:
        self._checkpoint = checkpoint
        self._total = max(total, 1e-9)
        self._done = 0.0
        self._told_at = 0.0
        self._stop: BaseException | None = None

    @contextmanager
    def during(self, image: pyvips.Image, weight: float) -> Iterator[pyvips.Image]:
        """Yield the image watched: reading its pixels reports, and can be stopped.

        `weight` is about the milliseconds that this takes. What the checkpoint raises
        comes out of here, unchanged.
        """
        if weight < _BRIEF:
            yield image
            self.advance(weight)
            return
        watched = image.copy()
        watched.set_progress(True)

        def on_eval(image: pyvips.Image, progress: _Eval) -> None:
            # An exception must not leave a C callback.
            try:
                self._tell(weight * min(progress.percent, 100) / 100)
            except BaseException as stop:  # noqa: BLE001
                self._stop = stop
                image.set_kill(True)

        watched.signal_connect("eval", on_eval)
        try:
            yield watched
        except Exception:
            # A killed operation fails, in whatever words; that is not what happened.
            if self._stop is not None:
                raise self._stop from None
            raise
        finally:
            watched.set_progress(False)
        if self._stop is not None:
            raise self._stop
        self.advance(weight)

    def advance(self, weight: float) -> None:
        """Count a piece of work as done; raises what the checkpoint raises."""
        self._done += weight
        self._told_at = 0.0
        self._tell(0.0)

    def _tell(self, share: float) -> None:
        now = monotonic()
        if now - self._told_at >= _EVERY_SECONDS:
            self._told_at = now
            self._checkpoint(min(1.0, (self._done + share) / self._total))
