"""One process of the cluster: started, listened to, asked to end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from scripts.cluster.voice import Voice

WORDS_KEPT = 50
HEARING_SECONDS = 1.0
"""For what a process that has ended said, but somebody else may hold its pipe."""


@dataclass(slots=True, kw_only=True)
class Member:
    """A process by its name; it can be started again after its end.

    `ready()` is asked after each start until it says yes. `seconds` is how long it may
    take over a clean end.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[Member], bool] = lambda _: True
    seconds: float = 30.0
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    """When it was started last, in seconds since 1970."""
    is_ready: bool = False
    heard: deque[str] = field(default_factory=lambda: deque(maxlen=WORDS_KEPT))
    """What it said last."""
    _hearing: threading.Thread | None = None

    def start(self, voice: Voice, ended: Callable[[Member], None]) -> None:
        """Start it (again); `ended` is called once when it is over.

        To be called by the main thread: if that goes, so does the process.
        """
        self.heard.clear()
        self.is_ready, self.started = False, time.time()
        self.process = subprocess.Popen(
            [*_tied(), *self.command],
            env={**os.environ, **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C at the terminal reaches us alone: the order of ends is ours.
            start_new_session=True,
        )
        hearing = threading.Thread(
            target=self._listen(self.process, voice), daemon=True
        )
        waiting = threading.Thread(target=self._wait(self.process, ended), daemon=True)
        hearing.start()
        waiting.start()
        self._hearing = hearing

    @property
    def runs(self) -> bool:
        """Whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def ask_to_end(self) -> None:
        """SIGTERM: it ends when it has finished, or given back, what it does."""
        self._signal(signal.SIGTERM)

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        if self.process is None:
            return True
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return self.process.poll() is not None

    def kill(self) -> None:
        """End it and its children at once."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @property
    def end(self) -> str:
        """How it ended, in words."""
        code = self.process.poll() if self.process else None
        if code is None:
            return "runs"
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    @property
    def last_words(self) -> str:
        """What it said before its end, as the end of a sentence."""
        if self._hearing is not None:
            self._hearing.join(HEARING_SECONDS)
        said = [line for line in self.heard if line.strip()]
        return f"; its last words: {said[-1].strip()}" if said else ""

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def _listen(
        self, process: subprocess.Popen[bytes], voice: Voice
    ) -> Callable[[], None]:
        def listen() -> None:
            assert process.stdout is not None
            with process.stdout as lines:
                for raw in lines:
                    line = raw.decode(errors="replace").rstrip()
                    self.heard.append(line)
                    voice.say(self.name, line)

        return listen

    def _wait(
        self, process: subprocess.Popen[bytes], ended: Callable[[Member], None]
    ) -> Callable[[], None]:
        def wait() -> None:
            process.wait()
            ended(self)

        return wait


def _tied() -> list[str]:
    """Words before a command that end it when its parent is killed, where there are."""
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "TERM"] if found else []
