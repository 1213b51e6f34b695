"""The life of a pixel child: hello, then one job after another until the parent goes.

The engine is handed in; the process that runs this is `child`.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, NoReturn, Protocol

from pixtools.domain.errors import Canceled, PixtoolsError
from pixtools.domain.limits import MIB, Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import Report
from pixtools.workers.bounds import (
    bound_job,
    bound_process,
    data_bytes,
    forget_peak,
    give_back_memory,
    peak_bytes,
    resident_bytes,
)
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
    frame,
    read_request,
)

_PROGRESS_SECONDS: Final = 0.25
_PROGRESS_STEP: Final = 0.2
_CHUNK: Final = 65_536
_IDLE_SECONDS: Final = 0.15
_LARGE: Final = 72 * MIB
"""A job that left this much behind is tidied up after before it is answered for."""


class Engine(Protocol):
    """What a child needs of the engine; tests bring their own."""

    def capabilities(self) -> Capabilities:
        """What it reads, writes and does."""
        ...

    def estimate(self, source: Path, plan: RenderPlan, limits: Limits) -> int:
        """Bytes of memory that `render` will need; raises what the header forbids."""
        ...

    def render(
        self,
        source: Path,
        plan: RenderPlan,
        scratch: Path,
        *,
        assets: Mapping[str, Path],
        limits: Limits,
        checkpoint: Callable[[float], None],
    ) -> Report:
        """Make the files."""
        ...


def serve(channel: socket.socket, engine: Engine) -> NoReturn:
    """Say hello, then do one job after another until the parent goes."""
    bound_process()
    inbox = _Inbox(channel)
    base_bytes = data_bytes()
    hello = Hello(pid=os.getpid(), capabilities=engine.capabilities())
    channel.sendall(frame(hello))
    while True:
        job = inbox.next_job()
        answer = _Job(job, inbox, channel, engine).answer(base_bytes)
        if resident_bytes() > _LARGE:
            give_back_memory()
        channel.sendall(_framed(answer))


class _Inbox(threading.Thread):
    """Reads what the parent says, also while libvips works."""

    def __init__(self, channel: socket.socket) -> None:
        super().__init__(name="inbox", daemon=True)
        self._channel = channel
        self._jobs: queue.SimpleQueue[Render] = queue.SimpleQueue()
        self._told = threading.Condition()
        self._gone = 0
        self._canceled = 0
        self.start()

    def next_job(self) -> Render:
        """The next job; memory goes back to the kernel when none comes at once.

        Trimming after every job would make the next one fault all its pages in again.
        """
        with suppress(queue.Empty):
            return self._jobs.get(timeout=_IDLE_SECONDS)
        give_back_memory()
        return self._jobs.get()

    def canceled(self, job: int) -> bool:
        return self._canceled == job

    def wait_for_go(self, job: int) -> None:
        with self._told:
            self._told.wait_for(lambda: self._gone == job or self.canceled(job))

    def run(self) -> None:
        status = 0
        try:
            self._read()
        except Exception:  # noqa: BLE001 - whatever it was, nobody is left to work for
            traceback.print_exc()
            status = 1
        # Not sys.exit: the main thread may be deep in an encoder.
        os._exit(status)

    def _read(self) -> None:
        frames = Frames()
        while chunk := self._channel.recv(_CHUNK):
            frames.feed(chunk)
            while (body := frames.next()) is not None:
                self._take(body)

    def _take(self, body: bytes) -> None:
        request = read_request(body)
        if isinstance(request, Render):
            self._jobs.put(request)
            return
        with self._told:
            if isinstance(request, Go):
                self._gone = request.id
            elif isinstance(request, Cancel):
                self._canceled = request.id
            self._told.notify_all()


class _Job:
    """One job, from its request to its answer."""

    def __init__(
        self, asked: Render, inbox: _Inbox, channel: socket.socket, engine: Engine
    ) -> None:
        self._asked = asked
        self._inbox = inbox
        self._channel = channel
        self._engine = engine
        self._told_at = 0.0
        self._told = 0.0

    def answer(self, base_bytes: int) -> Answer:
        """Do the job; every failure becomes an answer, none ends the child."""
        number = self._asked.id
        try:
            return Done(id=number, report=self._report(base_bytes))
        except PixtoolsError as error:
            return Failed(id=number, code=error.code, detail=error.detail)
        except Exception as error:  # noqa: BLE001 - a bug must not take the child along
            traceback.print_exc()
            detail = f"The engine failed unexpectedly ({type(error).__name__})."
            return Failed(id=number, code=PixtoolsError.code, detail=detail)

    def _report(self, base_bytes: int) -> Report:
        asked = self._asked
        source = Path(asked.source)
        forget_peak()
        bound_job(asked.limits, asked.cpu_seconds, base_bytes)
        needed = self._engine.estimate(source, asked.plan, asked.limits)
        self._channel.sendall(frame(Estimate(id=asked.id, bytes=needed)))
        self._inbox.wait_for_go(asked.id)
        self._stop_if_canceled()
        report = self._engine.render(
            source,
            asked.plan,
            Path(asked.scratch),
            assets={name: Path(path) for name, path in asked.assets.items()},
            limits=asked.limits,
            checkpoint=self._checkpoint,
        )
        # getrusage, which the engine asks, never forgets an earlier job's peak.
        return replace(report, peak_rss_bytes=peak_bytes())

    def _checkpoint(self, fraction: float) -> None:
        self._stop_if_canceled()
        now, within = time.monotonic(), min(max(fraction, 0.0), 1.0)
        late = now - self._told_at >= _PROGRESS_SECONDS
        # A silent encoder may follow: what is said last should be nearly true.
        if late or within - self._told >= _PROGRESS_STEP:
            self._told_at, self._told = now, within
            self._channel.sendall(frame(Progress(id=self._asked.id, fraction=within)))

    def _stop_if_canceled(self) -> None:
        if self._inbox.canceled(self._asked.id):
            raise Canceled


def _framed(answer: Answer) -> bytes:
    """Encode an answer, or say that it could not be encoded."""
    try:
        return frame(answer)
    except (BrokenProtocol, ValueError, TypeError) as error:
        if not isinstance(answer, Done):
            raise
        traceback.print_exc()
        detail = f"The engine's report could not be sent ({type(error).__name__})."
        failed = Failed(id=answer.id, code=PixtoolsError.code, detail=detail)
        return frame(failed)
