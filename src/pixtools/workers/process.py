"""One pixel child, seen from its parent."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Final, NoReturn

from pixtools.domain.errors import Canceled, TimedOut, WorkerLost
from pixtools.domain.limits import Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.workers.answers import checked_report, error_named, read_answer
from pixtools.workers.config import WorkersConfig
from pixtools.workers.launch import launch
from pixtools.workers.output import ChildOutput
from pixtools.workers.protocol import (
    Answer,
    BrokenProtocol,
    Cancel,
    Capabilities,
    Done,
    Estimate,
    Failed,
    Frames,
    Go,
    Hello,
    Progress,
    Render,
    Request,
    frame,
)
from pixtools.workers.pulse import BEAT_SECONDS, Checkpoint, Pulse

_CHUNK: Final = 65_536
_SEND_SECONDS: Final = 10.0
_EXIT_SECONDS: Final = 2.0
_CPU_PER_SECOND: Final = 4
"""CPU seconds per second of time-out: encoders start a few threads of their own."""
_OUT_OF_MEMORY: Final = "perhaps the machine ran out of memory"

Admit = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a child is asked to do; `timeout` in seconds, waiting for room not counted.

    `admit` is called with the estimated bytes and returns when there is room for them.
    `checkpoint` is called at least twice a second; it may raise to stop the work.
    """

    source: Path
    plan: RenderPlan
    scratch: Path
    assets: Mapping[str, Path]
    limits: Limits
    timeout: float
    admit: Admit
    checkpoint: Checkpoint


class PixelProcess:
    """A child that does one task at a time, for one caller at a time."""

    def __init__(self, config: WorkersConfig, *, heavy: bool = False) -> None:
        """Start the process; raises OSError. It takes tasks after `greet`."""
        launched = launch(config, heavy=heavy)
        self.heavy = heavy
        self._process = launched.process
        self._channel = launched.channel
        self._output = ChildOutput(launched.output, launched.process.pid)
        self._grace = config.grace_seconds
        # Who has a network to open as well, yielding to all, may take longer.
        warm = heavy and config.kept_heavy > 0
        self._start_seconds = config.start_seconds * (3 if warm else 1)
        self._cpu_per_second = max(_CPU_PER_SECOND, config.denoise_threads)
        self._frames = Frames()
        self._poll = select.poll()
        self._poll.register(self._channel, select.POLLIN)
        self._poll.register(self._output, select.POLLIN)
        self._over = False
        self.jobs = 0
        self.denoised = False
        self._channel.settimeout(_SEND_SECONDS)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Whether it can take a task: neither dead nor given up."""
        return not self._over and self._process.poll() is None

    def rss_bytes(self) -> int:
        """Resident memory now, in bytes; 0 if it is gone."""
        try:
            pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]
        except (OSError, IndexError):
            return 0
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def greet(self, checkpoint: Checkpoint) -> Capabilities:
        """Wait until the child says what it can do; raises WorkerLost."""
        deadline = time.monotonic() + self._start_seconds
        try:
            while time.monotonic() < deadline:
                answer = self._receive(BEAT_SECONDS)
                if isinstance(answer, Hello):
                    return answer.capabilities
                if answer is not None:
                    self._give_up(f"It said {answer.type} before hello.")
                checkpoint(0.0)
            self._give_up(f"It said nothing for {self._start_seconds:g} seconds.")
        except BaseException:
            self.kill()
            raise

    def render(self, task: Task) -> Report:
        """Do a task.

        Raises the child's domain error, TimedOut, WorkerLost, or what `admit` or
        `checkpoint` raised; the child then has stopped the work or is dead.
        """
        self.jobs += 1
        self.denoised |= any(output.denoise for output in task.plan.outputs)
        self._output.begin_job()
        try:
            answer = self._talk(task)
        except BaseException:
            self._stop()
            raise
        if isinstance(answer, Failed):
            raise self._error(answer)
        try:
            return checked_report(answer, task.plan, task.scratch)
        except BrokenProtocol as broken:
            self._give_up(str(broken))

    def end(self) -> None:
        """Kill it from any thread; whoever talks to it gets WorkerLost."""
        self._process.kill()

    def kill(self) -> None:
        """Kill it and let go of it. Harmless twice."""
        self._process.kill()
        self._release()

    def close(self) -> None:
        """Let it end by itself, then let go of it. Harmless twice."""
        if not self._over:
            with contextlib.suppress(OSError):
                self._channel.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_EXIT_SECONDS)
        self.kill()

    def _talk(self, task: Task) -> Done | Failed:
        """Send the task and follow it to its answer."""
        self._send(self._request(task))
        deadline = time.monotonic() + task.timeout
        pulse, admitted = Pulse(task.checkpoint), False
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                self._time_out(task.timeout)
            match self._receive(min(left, pulse.seconds_left())):
                case Done() | Failed() as answer if self._is_ours(answer):
                    return answer
                case Estimate(bytes=needed) as answer if (
                    self._is_ours(answer) and not admitted
                ):
                    task.admit(needed)
                    admitted = True
                    self._send(Go(id=self.jobs))
                    deadline = time.monotonic() + task.timeout
                case Progress() as answer if self._is_ours(answer):
                    pulse.progressed(answer.fraction)
                case None:
                    pass
                case answer:
                    self._give_up(f"It said {answer.type} out of turn.")
            pulse.beat()

    def _request(self, task: Task) -> Render:
        return Render(
            id=self.jobs,
            source=str(task.source.absolute()),
            scratch=str(task.scratch.absolute()),
            plan=task.plan,
            assets={name: str(path.absolute()) for name, path in task.assets.items()},
            limits=task.limits,
            cpu_seconds=task.timeout * self._cpu_per_second,
        )

    def _is_ours(self, answer: Done | Failed | Estimate | Progress) -> bool:
        return answer.id == self.jobs

    def _error(self, failed: Failed) -> Exception:
        error = error_named(failed.code, failed.detail)
        if isinstance(error, Canceled):
            self._give_up("It stopped although nobody asked it to.")
        return error

    def _stop(self) -> None:
        """Make a child that is still at work idle again, or kill it."""
        deadline = time.monotonic() + self._grace
        with contextlib.suppress(WorkerLost):
            if not self._over:
                self._send(Cancel(id=self.jobs))
            while not self._over and time.monotonic() < deadline:
                if isinstance(self._receive(BEAT_SECONDS), Done | Failed):
                    return
        self.kill()

    def _time_out(self, timeout: float) -> NoReturn:
        self.kill()
        raise TimedOut(f"The work took longer than {timeout:g} seconds.")

    def _send(self, request: Request) -> None:
        try:
            self._channel.sendall(frame(request))
        except OSError as error:
            self._give_up(str(error), _EXIT_SECONDS)

    def _receive(self, seconds: float) -> Answer | None:
        """The next answer, or None if none came in time."""
        try:
            body = self._frames.next()
            if body is None:
                self._take_in(seconds)
                body = self._frames.next()
            return None if body is None else read_answer(body)
        except BrokenProtocol as error:
            self._give_up(str(error))
        except (OSError, EOFError) as error:
            # Whoever hangs up is about to end, and a busy machine takes its time.
            self._give_up(str(error), _EXIT_SECONDS)

    def _take_in(self, seconds: float) -> None:
        for descriptor, _ in self._poll.poll(ceil(max(0.0, seconds) * 1000)):
            if descriptor == self._channel.fileno():
                self._take_in_frames()
            elif not self._output.drain():
                self._poll.unregister(descriptor)

    def _take_in_frames(self) -> None:
        chunk = self._channel.recv(_CHUNK)
        if not chunk:
            raise EOFError
        self._frames.feed(chunk)

    def _give_up(self, reason: str, patience: float = _EXIT_SECONDS / 10) -> NoReturn:
        """End a child that died or misbehaves, and say so."""
        how = _how_it_ended(self._process, patience)
        self.kill()
        detail = how or f"The worker process broke its protocol and was ended. {reason}"
        raise WorkerLost(detail.strip())

    def _release(self) -> None:
        if self._over:
            return
        self._over = True
        self._process.wait()
        self._channel.close()
        self._output.close()


def _how_it_ended(process: subprocess.Popen[bytes], patience: float) -> str | None:
    """What became of a process that makes no sense; None if it lives on."""
    try:
        code = process.wait(patience)
    except subprocess.TimeoutExpired:
        return None
    if code >= 0:
        return f"The worker process ended by itself with exit status {code}."
    name = signal.Signals(-code).name
    hint = f" ({_OUT_OF_MEMORY})" if -code == signal.SIGKILL else ""
    return f"The worker process was ended by {name}{hint}."
