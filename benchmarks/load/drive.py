"""The clients: `python -m benchmarks.load.drive`, told what to do on standard input.

A process of its own, so that neither the one who measures processes nor the one who
draws plots delays it. Prints one line of JSON for each answer, and one about itself.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import httpx2

from benchmarks.load.answers import BUSY, IN_FLIGHT, TRANSPORT, Answer, Driver, kind_of
from benchmarks.load.figures import percentile
from benchmarks.load.orders import Drive, Stream, Wish

TIMEOUT: Final = 60.0
PATIENCE: Final = 45.0
"""Seconds after the last stream, for those who still wait for an answer."""
LOOK: Final = 0.05
"""Seconds between two looks at how late the event loop is."""
LONGEST_WAIT: Final = 25
SHORTEST_REST: Final = 0.05
_BOUNDARY: Final = "pixtools-load"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Came:
    """What came of one request; `rest` is how long to wait before another one."""

    kind: str
    status: int = 0
    job: str | None = None
    note: str = ""
    rest: float = SHORTEST_REST


@dataclass(slots=True)
class Clients:
    """All clients of one drive."""

    drive: Drive
    http: httpx2.AsyncClient
    say: Callable[[Answer], None]
    began: float = 0.0
    """On the clock of the event loop."""
    _bodies: dict[str, bytes] = field(default_factory=dict)

    async def run(self) -> None:
        """Every stream to its end."""
        for stream in self.drive.streams:
            self._body(stream.wish)
        self.began = self._now()
        with suppress(TimeoutError):
            async with (
                asyncio.timeout(self.drive.seconds + PATIENCE),
                asyncio.TaskGroup() as group,
            ):
                for stream in self.drive.streams:
                    work = self._closed if stream.model == "closed" else self._timed
                    group.create_task(work(stream))

    async def _timed(self, stream: Stream) -> None:
        """Arrivals that do not wait for anybody's answer."""
        room = asyncio.Semaphore(stream.clients)

        async def visit(due: float) -> None:
            async with room:
                await self._ask(stream, due)

        async with asyncio.TaskGroup() as group:
            for due in stream.due():
                await asyncio.sleep(self.began + due - self._now())
                group.create_task(visit(self.began + due))

    async def _closed(self, stream: Stream) -> None:
        """Clients who come again when they were answered."""
        await asyncio.sleep(stream.start)
        until = self._now() + stream.seconds
        keys = _keys(stream)

        async def client() -> None:
            for key in keys:
                if self._now() >= until:
                    return
                await self._until_taken(stream, key, until)

        async with asyncio.TaskGroup() as group:
            for _ in range(stream.clients):
                group.create_task(client())

    async def _until_taken(self, stream: Stream, key: str | None, until: float) -> None:
        """Send one request; who is told when to come again, does."""
        while True:
            answer, rest = await self._ask(stream, self._now(), key)
            if answer.kind not in {BUSY, IN_FLIGHT} or self._now() + rest >= until:
                break
            await asyncio.sleep(rest)
        if stream.waits and answer.job:
            await self._end_of(stream, answer.job)

    async def _ask(
        self, stream: Stream, due: float, key: str | None = None
    ) -> tuple[Answer, float]:
        """One request; its answer, and the seconds that it asks to wait."""
        moment = time.time() - (self._now() - due)
        cut_off = None
        try:
            came = await self._sent(stream.wish, key)
        except asyncio.CancelledError as error:
            # The drive is over: who still waits was not answered.
            came, cut_off = _Came(kind=TRANSPORT, note="no answer until the end"), error
        answer = Answer(
            stream=stream.name,
            due=moment,
            seconds=self._now() - due,
            kind=came.kind,
            status=came.status,
            job=came.job,
            key=key,
            note=came.note,
        )
        self.say(answer)
        if cut_off:
            raise cut_off
        return answer, came.rest

    async def _sent(self, wish: Wish, key: str | None) -> _Came:
        headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        if key:
            headers["Idempotency-Key"] = key
        body = self._body(wish)
        try:
            found = await self.http.post(wish.path, content=body, headers=headers)
        except httpx2.TransportError as error:
            return _Came(kind=TRANSPORT, note=f"{type(error).__name__} {error}".strip())
        return _read(found)

    async def _end_of(self, stream: Stream, job: str) -> None:
        """Wait for a job as clients do; only what goes wrong is told."""
        while True:
            due = time.time()
            try:
                found = await self.http.get(
                    f"/v1/jobs/{job}", params={"wait": LONGEST_WAIT}
                )
            except httpx2.TransportError as error:
                self.say(_poll(stream, due, TRANSPORT, 0, type(error).__name__))
                await asyncio.sleep(SHORTEST_REST)
                continue
            if found.status_code != 200:
                kind = kind_of(found.status_code, found.headers)
                self.say(_poll(stream, due, kind, found.status_code, found.text[:200]))
                return
            if found.json()["finished_at"]:
                return

    def _body(self, wish: Wish) -> bytes:
        """The form, made once: the clients' CPU is the service's, too."""
        name = f"{wish.photo} {wish.path} {wish.fields}"
        if name not in self._bodies:
            photo = Path(self.drive.photos[wish.photo])
            self._bodies[name] = _form(wish, photo)
        return self._bodies[name]

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


async def main() -> None:
    """Do as told."""
    drive = Drive.read(sys.stdin.read())
    cpu, wall = time.process_time(), time.monotonic()
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    late: list[float] = []
    watch = asyncio.create_task(_watch(late))
    async with httpx2.AsyncClient(
        base_url=drive.url, timeout=TIMEOUT, limits=limits, trust_env=False
    ) as http:
        await Clients(drive, http, _print).run()
    watch.cancel()
    itself = Driver(
        cpu=time.process_time() - cpu,
        wall=time.monotonic() - wall,
        late_p95=percentile(late, 95) or 0,
        late_most=max(late, default=0),
    )
    print(json.dumps({"driver": asdict(itself)}))


async def _watch(late: list[float]) -> None:
    """How much later than asked for the loop wakes up."""
    loop = asyncio.get_running_loop()
    while True:
        before = loop.time()
        await asyncio.sleep(LOOK)
        late.append(loop.time() - before - LOOK)


def _print(answer: Answer) -> None:
    print(answer.line())


def _poll(stream: Stream, due: float, kind: str, status: int, note: str) -> Answer:
    seconds = time.time() - due
    return Answer(
        stream=f"{stream.name} (waiting)", due=due, seconds=seconds, kind=kind,
        status=status, note=note,
    )  # fmt: skip


def _read(found: httpx2.Response) -> _Came:
    """The job, or what was said instead."""
    kind = kind_of(found.status_code, found.headers)
    rest = float(found.headers["retry-after"]) if kind in {BUSY, IN_FLIGHT} else 0
    try:
        job = found.json().get("job_id")
    except ValueError:
        job = None
    return _Came(
        kind=kind,
        status=found.status_code,
        job=job,
        note="" if job else found.text[:200],
        rest=max(SHORTEST_REST, rest),
    )


def _keys(stream: Stream) -> Iterator[str | None]:
    """The key of each request of a stream; clients take from it by turns."""
    if stream.tries == 1:
        yield from [None] * stream.jobs
    run = secrets.token_hex(4)
    for number in range(stream.jobs if stream.tries > 1 else 0):
        yield f"{run}-{number // stream.tries}"


def _form(wish: Wish, photo: Path) -> bytes:
    dashes, head = f"--{_BOUNDARY}\r\n", "Content-Disposition: form-data; name="
    fields = "".join(
        f'{dashes}{head}"{name}"\r\n\r\n{value}\r\n'
        for name, value in wish.fields.items()
    )
    file = f'{dashes}{head}"file"; filename="{photo.name}"\r\n'
    start = f"{fields}{file}Content-Type: image/jpeg\r\n\r\n"
    return start.encode() + photo.read_bytes() + f"\r\n--{_BOUNDARY}--\r\n".encode()


if __name__ == "__main__":
    asyncio.run(main())
