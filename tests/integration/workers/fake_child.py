"""A pixel child with an engine of paper: `python fake_child.py BEHAVIOUR`.

It keeps the protocol unless its behaviour says otherwise, and writes `scratch/started`
when a job has begun; `scratch/go_on` lets a job end that waits for it.
"""

from __future__ import annotations

import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pixtools.domain.errors import CorruptImage
from pixtools.domain.limits import MIB, Limits
from pixtools.domain.plan import RenderPlan
from pixtools.domain.report import OutputFacts, Report, SourceFacts
from pixtools.workers.loop import serve
from pixtools.workers.protocol import (
    Capabilities,
    Estimate,
    Frames,
    Hello,
    frame,
    read_request,
)

ABILITIES = Capabilities(
    readable=("jpg",), writable=("jpg",), actions=("convert",), libvips="8.0.0"
)


class PaperEngine:
    """Writes the plan's outputs as text, in the way that its behaviour says."""

    def __init__(self, behaviour: str) -> None:
        self._behaviour = behaviour
        self._hoard: list[bytes] = []

    def capabilities(self) -> Capabilities:
        return ABILITIES

    def estimate(self, source: Path, plan: RenderPlan, limits: Limits) -> int:
        return int(source.read_text()) * MIB

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
        checkpoint(0.0)
        (scratch / "started").touch()
        behave = getattr(self, f"_{self._behaviour}", None)
        if behave is not None:
            behave(scratch, checkpoint)
        return self._report(plan, scratch)

    def _report(self, plan: RenderPlan, scratch: Path) -> Report:
        made = []
        for output in plan.outputs:
            name = f"{output.id}.{output.encode.format}"
            (scratch / name).write_text(f"{output.id} by {os.getpid()}")
            content = (scratch / name).read_bytes()
            made.append(
                OutputFacts(
                    id=output.id,
                    file=name,
                    format=output.encode.format,
                    width=1,
                    height=1,
                    bytes=len(content),
                    duration_ms=0,
                )
            )
        facts = {"pid": os.getpid()} if plan.metadata else None
        source = SourceFacts(format="jpg", width=1, height=1)
        return Report(source=source, outputs=tuple(made), metadata=facts)

    def _waits(self, scratch: Path, checkpoint: Callable[[float], None]) -> None:
        while not (scratch / "go_on").exists():
            checkpoint(0.5)
            time.sleep(0.01)

    def _deaf(self, scratch: Path, checkpoint: Callable[[float], None]) -> None:
        time.sleep(600)

    def _segfaults(self, scratch: Path, checkpoint: Callable[[float], None]) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    def _leaves(self, scratch: Path, checkpoint: Callable[[float], None]) -> None:
        os._exit(3)

    def _dies_slowly(self, scratch: Path, checkpoint: Callable[[float], None]) -> None:
        socket.socket(fileno=os.dup(0)).shutdown(socket.SHUT_WR)
        time.sleep(0.6)
        os._exit(3)

    def _has_a_bug(self, scratch: Path, checkpoint: Callable[[float], None]) -> None:
        raise ValueError("a bug")

    def _finds_it_corrupt(
        self, scratch: Path, checkpoint: Callable[[float], None]
    ) -> None:
        raise CorruptImage("The JPEG is broken.")

    def _hoards(self, scratch: Path, checkpoint: Callable[[float], None]) -> None:
        self._hoard.append(b"x" * (64 * MIB))

    def _chatters(self, scratch: Path, checkpoint: Callable[[float], None]) -> None:
        sys.stderr.write("noise\x1b[31m\n" * 100_000)
        sys.stderr.flush()


def lie(channel: socket.socket, words: bytes) -> None:
    """Say hello, then answer the first request with these bytes and go on listening."""
    channel.sendall(frame(Hello(pid=os.getpid(), capabilities=ABILITIES)))
    frames = Frames()
    while (body := frames.next()) is None:
        frames.feed(channel.recv(65_536))
    read_request(body)
    channel.sendall(words)
    while channel.recv(65_536):
        pass


LIES = {
    "no_json": struct.pack(">I", 5) + b"{oops",
    "huge_frame": struct.pack(">I", 0xFFFFFFFF) + b"x" * 1000,
    "deep": struct.pack(">I", 100_000) + b"[" * 100_000,
    "strange_type": b"\x00\x00\x00\x10" + b'{"type":"pickle"',
    "other_job": frame(Estimate(id=7, bytes=1)),
    "garbage": bytes(range(256)) * 400,
}


def main(behaviour: str) -> None:
    channel = socket.socket(fileno=0)
    if behaviour == "mute":
        time.sleep(600)
    elif behaviour == "rude":
        channel.sendall(LIES["no_json"])
        time.sleep(600)
    elif behaviour in LIES:
        lie(channel, LIES[behaviour])
    else:
        serve(channel, PaperEngine(behaviour))


if __name__ == "__main__":
    main(sys.argv[1])
