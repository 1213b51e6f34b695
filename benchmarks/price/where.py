"""Where a parent's processor time goes: counted by a profiler, told as shares.

The profiler itself costs about as much as what it watches, and small functions more
than large ones. So shares are told, never milliseconds.
"""

from __future__ import annotations

import marshal
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pixtools.testing.serving import serving

_PROGRAM: Final = Path(__file__).parent / "profiled.py"
_WAITS: Final = ("method 'acquire' of '_thread.lock'", "method 'poll' of")
_BREATH_SECONDS: Final = 0.5

Shares = Mapping[str, float]
"""Names, and parts of one."""


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a job's way: functions with all that they call, less some."""

    name: str
    functions: tuple[str, ...]
    less: tuple[str, ...] = ()


_PULSE: Final = ("jobs/pulse.py:_beat", "jobs/pulse.py:_look")
_RENDER: Final = "workers/pool.py:render"
_PUT_AWAY: Final = "jobs/render.py:_put_away"
_PACK: Final = "jobs/archive.py:pack_ahead"
STEPS: Final = (
    Step("upload: off the wire, out of the form", ("api/uploads.py:_read",)),
    Step(
        "upload: hashed, written, made durable",
        ("jobs/intake.py:write", "jobs/intake.py:finish"),
    ),
    Step(
        "taking the job on, with the answer",
        ("routers/submission.py:_submit", "jobs/admission.py:admit"),
    ),
    Step("`?wait=`: being woken", ("api/watching.py:wait_until",)),
    Step("`?wait=`: looking", ("routers/jobs.py:look",)),
    Step(
        "finding and claiming work", ("run_stage.py:run_next",), ("run_stage.py:_run",)
    ),
    Step("talking with the pixel child", (_RENDER,), _PULSE),
    Step("telling progress, staying claimed", _PULSE),
    Step("putting outputs away", (_PUT_AWAY,)),
    Step("packing the archive", (_PACK,)),
    Step("ending stages and the job", ("advance.py:advance",)),
    Step(
        "source and scratch directory",
        ("jobs/render.py:render_stage",),
        (_RENDER, _PUT_AWAY, _PACK, "advance.py:advance"),
    ),
)
_ROOMS: Final = {
    "SQL": ("/sqlalchemy/", "sqlite3", "psycopg", "pixtools/persistence/"),
    "HTTP server and framework": (
        "/fastapi/", "/starlette/", "/uvicorn/", "/anyio/", "/asyncio/", "_asyncio",
        "asyncio.", "uvloop", "/python_multipart/", "pixtools/api/",
    ),
    "hashing and checksums": ("_hashlib", "hashlib", "zlib", "/hmac.py"),
    "system calls on files": ("posix.", "fcntl.", "pixtools/storage/", "/shutil.py"),
    "JSON and pydantic": ("/json/", "_json", "pydantic"),
    "PixTools' verbs and words": ("pixtools/jobs/", "pixtools/domain/"),
    "child protocol and runners": ("pixtools/workers/", "pixtools/queue/"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """Shares of a parent's processor time: by step of the way, and by whose code."""

    steps: Shares
    rooms: Shares


def profile(work: Callable[[str], None], jobs: Path) -> Profile:
    """Serve under the profiler while `work(url)` is done twice; the second counts."""
    found = jobs / "profile"
    line = [sys.executable, str(_PROGRAM)]
    with serving({"PRICE_PROFILE": str(found)}, line=line) as service:
        work(service.url)
        time.sleep(_BREATH_SECONDS)
        service.process.send_signal(signal.SIGUSR1)
        work(service.url)
        service.stop()
    return shares(marshal.loads(found.read_bytes()))


Counts = Mapping[str, Mapping[str, tuple[int, float, float]]]
"""By thread and function: calls, own seconds, seconds with all that it called."""


def shares(counts: Counts) -> Profile:
    """Shares of what was counted; waiting left out."""
    own: dict[str, float] = {}
    whole: dict[str, float] = {}
    for functions in counts.values():
        for name, (_, itself, total) in functions.items():
            if not any(word in name for word in _WAITS):
                own[name] = own.get(name, 0.0) + itself
                whole[name] = whole.get(name, 0.0) + total
    spent = sum(own.values()) or 1.0
    steps = {step.name: _of(step, whole) / spent for step in STEPS}
    steps["HTTP, threads and the rest"] = 1.0 - sum(steps.values())
    return Profile(steps, _by_room(own, spent))


def _of(step: Step, whole: Mapping[str, float]) -> float:
    return _sum(step.functions, whole) - _sum(step.less, whole)


def _sum(wanted: Iterable[str], whole: Mapping[str, float]) -> float:
    endings = tuple(wanted)
    return sum(
        seconds
        for name, seconds in whole.items()
        if name.rpartition(":")[0].endswith(endings)
    )


def _by_room(own: Mapping[str, float], spent: float) -> Shares:
    found = dict.fromkeys((*_ROOMS, "Python's own and the rest"), 0.0)
    for name, seconds in own.items():
        room = next(
            (room for room, words in _ROOMS.items() if any(w in name for w in words)),
            "Python's own and the rest",
        )
        found[room] += seconds / spent
    return found
