"""The price of being a service: what is counted to whom."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.price.ledger import PIXELS, SERVICE, Ledger
from benchmarks.price.rounds import Priced, Round, Turn
from benchmarks.price.where import STEPS, shares
from benchmarks.price.work import GALLERY, WORKS

_BUSY = "import time\nwhile time.process_time() < 0.3: pass"
_PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {_BUSY!r}, "pixtools.workers.child"], check=True)
print("done", flush=True)
sys.stdin.read()
"""


SOURCES = Path(__file__).parents[3] / "src" / "pixtools"


@pytest.mark.parametrize(
    "named", sorted({name for step in STEPS for name in step.functions + step.less})
)
def test_every_function_of_a_step_stands_in_the_house(named: str) -> None:
    """One that was renamed would cost nothing, on paper."""
    file, _, function = named.rpartition(":")
    texts = [
        path.read_text()
        for path in SOURCES.rglob("*.py")
        if path.as_posix().endswith(f"/{file}")
    ]
    assert any(f"def {function}(" in text for text in texts)


def turn(jobs: int, wall: float, pixels: float, beside: float = 0.0) -> Turn:
    return Turn(jobs=jobs, wall=wall, spent={PIXELS: pixels, SERVICE: beside})


def test_the_share_of_the_pixels_is_taken_of_all_processor_time() -> None:
    served = turn(10, 4.0, pixels=1.7, beside=0.3)
    assert served.share == pytest.approx(0.85)
    assert served.beside_ms == pytest.approx(30)
    assert served.per_cpu_second == pytest.approx(5)


def test_throughput_is_held_against_the_engine_of_the_same_round() -> None:
    """A load that halves both rates of a round changes no ratio."""
    calm = Round(bare=turn(10, 1.0, 2), served=turn(10, 1.25, 2), clients_ms=1)
    storm = Round(bare=turn(10, 2.0, 2), served=turn(10, 2.5, 2), clients_ms=1)
    measured = Priced(GALLERY, [calm, storm, storm])
    assert measured.median(lambda one: one.kept) == pytest.approx(0.8)


def test_a_child_that_has_ended_stays_in_the_ledger() -> None:
    ledger = Ledger([os.getpid()])
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"done\n"
        assert ledger.seconds()[PIXELS] >= 0.25
        parent.communicate()


def test_waiting_is_no_work() -> None:
    counts = {
        "runner-0": {
            "~:<method 'acquire' of '_thread.lock' objects>:0": (1, 90.0, 90.0),
            "/x/pixtools/jobs/render.py:_put_away:78": (1, 1.0, 3.0),
            "~:<built-in method posix.fsync>:0": (4, 2.0, 2.0),
            "/x/sqlalchemy/engine/base.py:execute:9": (1, 1.0, 1.0),
        }
    }
    found = shares(counts)
    assert found.steps["putting outputs away"] == pytest.approx(0.75)
    assert found.rooms["SQL"] == pytest.approx(0.25)
    assert sum(found.steps.values()) == pytest.approx(1)
    assert sum(found.rooms.values()) == pytest.approx(1)


def test_the_bare_engine_is_given_the_plans_of_the_same_forms() -> None:
    formats = {
        work.name: [output.encode.format for output in work.plan.outputs]
        for work in WORKS
    }
    assert formats == {
        "gallery": ["jpg"] * 4,
        "pair": ["png", "webp"],
        "webp": ["webp"],
    }
