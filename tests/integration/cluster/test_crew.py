"""Many processes at one terminal: kept alive, ended in order, spoken for by name."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from scripts.cluster import crew as crews
from scripts.cluster.crew import Crew
from scripts.cluster.errors import CannotRun
from scripts.cluster.member import Member
from scripts.cluster.voice import Voice
from tests.stopwatch import Stopwatch

from pixtools.testing.serving import eventually

POLITE = """
import queue, signal
asked = queue.SimpleQueue()
signal.signal(signal.SIGTERM, lambda *_: asked.put(None))
print("up", flush=True)
asked.get(timeout=60)
print("bye", flush=True)
"""
"""No Event: each thread of a parent that is killed sends SIGTERM, and set() interrupted
by set() waits for itself."""
LEISURELY = """
import queue, signal, time
asked = queue.SimpleQueue()
signal.signal(signal.SIGTERM, lambda *_: asked.put(None))
print("up", flush=True)
asked.get(timeout=60)
print("asked", time.monotonic(), flush=True)
time.sleep(0.3)
print("ends", time.monotonic(), flush=True)
"""
"""Takes its time over its end, and tells when: each is heard by a thread of its own, so
that the order of lines is not the order of what they tell."""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(60)
"""
BROKEN = "import sys; sys.exit('the paint is out')"
SOON = 60.0
"""Only ends a test that hangs: a machine may stall for ten seconds."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def said() -> io.StringIO:
    """What the terminal shows."""
    return io.StringIO()


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """The signals of the test's own process mean afterwards what they meant before."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def program(name: str, text: str = POLITE, seconds: float = 60) -> Member:
    return Member(
        name=name,
        command=[sys.executable, "-S", "-c", text],
        ready=lambda member: "up" in member.heard,
        seconds=seconds,
    )


def crew_of(said: io.StringIO, *ranks: list[Member]) -> Crew:
    crew = Crew(ranks, Voice(out=said))
    crew.heed_signals()
    return crew


def soon(act: Callable[[], object], when: Callable[[], bool]) -> threading.Thread:
    """Act from elsewhere as soon as it is so, while the crew keeps up."""

    def watch() -> None:
        eventually(when, SOON)
        act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_each_line_says_whose_it_is(said: io.StringIO) -> None:
    crew = crew_of(said, [program("api")], [program("scheduler")])
    assert crew.start()
    crew.stop()
    assert "api       | up\n" in said.getvalue()
    assert "scheduler | up\n" in said.getvalue()


def test_rank_after_rank_ends(said: io.StringIO) -> None:
    """A worker is asked to end when the API has ended, and not before."""
    names = ("api", "worker", "last")
    crew = crew_of(said, *([program(name, LEISURELY)] for name in names))
    crew.start()
    crew.stop()
    assert not any(member.runs for member in crew.members)

    def told() -> list[tuple[float, str, str]]:
        line = re.compile(r"^(\w+) +\| (asked|ends) ([\d.]+)$", re.MULTILINE)
        return [
            (float(at), who, verb) for who, verb, at in line.findall(said.getvalue())
        ]

    eventually(lambda: len(told()) == 2 * len(names), SOON)
    ends = [(who, verb) for _, who, verb in sorted(told())]
    assert ends == [(name, verb) for name in names for verb in ("asked", "ends")]
    asked = [said.getvalue().index(f"asking {name} to end") for name in names]
    assert asked == sorted(asked)


def test_ctrl_c_is_the_end_of_keeping_up(said: io.StringIO) -> None:
    crew = crew_of(said, [program("api")])
    crew.start()
    pressed = soon(press_ctrl_c, lambda: True)
    crew.keep_up()
    pressed.join()
    crew.stop()
    assert "killing" not in said.getvalue()


def test_who_dies_is_started_again(said: io.StringIO) -> None:
    worker = program("worker")
    crew = crew_of(said, [worker])
    crew.start()
    first = worker.process
    assert first
    first.kill()
    seen = soon(
        press_ctrl_c, lambda: worker.process is not first and "up" in worker.heard
    )
    crew.keep_up()
    seen.join()
    assert worker.runs
    crew.stop()
    assert "worker was ended by SIGKILL; starting it again (1 of 5" in said.getvalue()


def test_who_dies_too_often_ends_it_with_a_reason(
    said: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crews, "RESTARTS", 1)
    worker = program("worker", "print('up', flush=True); import sys; sys.exit(3)")
    crew = crew_of(said, [worker])
    with pytest.raises(CannotRun, match=r"worker ended with exit code 3.*: up\."):
        # It may be seen up, or dead at once: both are told.
        _live(crew)
    crew.stop()


def test_who_never_gets_ready_ends_it_with_its_last_words(said: io.StringIO) -> None:
    """A wrong setting is not tried again: it would be as wrong the next time."""
    crew = crew_of(said, [program("api")], [program("worker", BROKEN)])
    with pytest.raises(CannotRun, match="worker ended with exit code 1"):
        crew.start()
    crew.stop()
    assert not any(member.runs for member in crew.members)
    eventually(lambda: "worker | the paint is out" in said.getvalue(), SOON)


def test_who_takes_too_long_over_its_end_is_killed(said: io.StringIO) -> None:
    crew = crew_of(said, [program("worker", STUBBORN, seconds=0.3)])
    crew.start()
    crew.stop()
    assert "killing worker: 0.3 s are up." in said.getvalue()
    assert not any(member.runs for member in crew.members)


def test_a_second_ctrl_c_does_not_wait(said: io.StringIO) -> None:
    crew = crew_of(said, [program("worker", STUBBORN, seconds=90)])
    crew.start()
    with Stopwatch() as watch:
        press_ctrl_c()
        press_ctrl_c()
        crew.stop()
    assert watch.seconds < 10
    assert "killing worker: you asked again." in said.getvalue()


def test_nobody_outlives_a_cluster_that_was_killed(tmp_path: Path) -> None:
    """Whoever kills the one process in the foreground has no server left behind."""
    script = (
        "import sys, time\n"
        "from scripts.cluster.crew import Crew\n"
        "from scripts.cluster.member import Member\n"
        "from scripts.cluster.voice import Voice\n"
        f"words = [sys.executable, '-S', '-c', {POLITE!r}]\n"
        "member = Member(name='api', command=words,"
        " ready=lambda m: 'up' in m.heard)\n"
        "Crew([[member]], Voice()).start()\n"
        "print('pid', member.process.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    heard = tmp_path / "said"
    with heard.open("wb") as out:
        parent = psutil.Popen([sys.executable, "-c", script], stdout=out)
    eventually(lambda: "pid " in heard.read_text(), SOON)
    child = psutil.Process(int(heard.read_text().split("pid ")[1].split()[0]))
    parent.kill()
    parent.wait()
    eventually(lambda: not child.is_running(), 30)  # by itself it ends after 60


def _live(crew: Crew) -> None:
    crew.start()
    crew.keep_up()
