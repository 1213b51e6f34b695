"""Run the tests: two halves beside each other, then one account of both.

    python -m scripts.suite [what pytest takes]

Half of what takes long is waiting (for servers, leases, browsers), so two halves on two
cores take little more than half the time. The first half is where most things break on
purpose; its words are kept until the second has had its say. Where pytest is told what
to do, it does that, alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

ROOT: Final = Path(__file__).resolve().parent.parent
BREAKING: Final = ("tests/chaos", "tests/integration", "tests/ui")
HALVES: Final = {
    "breaking": BREAKING,
    "rest": ("tests", *(f"--ignore={path}" for path in BREAKING)),
}
COVERAGE: Final = Path(".coverage-halves")


def main(arguments: Sequence[str]) -> int:
    """Run pytest as told, or both halves of the suite; pytest's exit code."""
    if arguments:
        return _run(sys.executable, "-m", "pytest", "--cov", *arguments)
    shutil.rmtree(ROOT / COVERAGE, ignore_errors=True)
    with tempfile.TemporaryFile() as kept:
        halves = [_start("rest", None), _start("breaking", kept)]
        codes = [_ended(half) for half in halves]
        kept.seek(0)
        sys.stdout.buffer.write(kept.read())
        sys.stdout.flush()
    return max(*codes, _account())


def _start(half: str, said: IO[bytes] | None) -> subprocess.Popen[bytes]:
    """Begin a half, with coverage data and a cache that the other leaves alone."""
    own = ROOT / COVERAGE / half
    own.mkdir(parents=True)
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "pytest", "--cov", "--cov-report="),
            *("--cov-fail-under=0", "-o", f"cache_dir=.pytest_cache/{half}"),
            *HALVES[half],
        ],
        cwd=ROOT,
        env=os.environ | {"COVERAGE_FILE": str(own / "data")},
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=said and subprocess.STDOUT,
    )


def _ended(half: subprocess.Popen[bytes]) -> int:
    """A half's exit code; who presses Ctrl-C stops both, and they still tell."""
    try:
        return half.wait()
    except KeyboardInterrupt:
        return half.wait()


def _account() -> int:
    """Coverage of both halves together; not zero where there is too little."""
    data = [str(COVERAGE / half / "data") for half in HALVES]
    coverage = (sys.executable, "-m", "coverage")
    return _run(*coverage, "combine", "-q", *data) or _run(*coverage, "report")


def _run(*command: str) -> int:
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
