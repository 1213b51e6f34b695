"""Starting a pixel child: its command, its environment, and its first word."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pixtools.workers.config import WorkersConfig

CHILD: Final = "pixtools.workers.child"

_PASSED_ON: Final = (
    "HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ", "VIRTUAL_ENV",
)  # fmt: skip
_PASSED_ON_PREFIXES: Final = ("COV_", "COVERAGE_", "FONTCONFIG_", "LC_", "PYTHON")
_SET: Final = {
    # Nothing is given back while a job runs (that cost 7,600 page faults, a sixth of
    # the CPU of a gallery job); the child trims when it is idle.
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "16777216",
    "MALLOC_TRIM_THRESHOLD_": "1073741824",
    "VIPS_CONCURRENCY": "1",
    "VIPS_BLOCK_UNTRUSTED": "1",
}

_NICEST: Final = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A process, our end of its socket, and the descriptor of what it prints."""

    process: subprocess.Popen[bytes]
    channel: socket.socket
    output: int


def launch(config: WorkersConfig, *, heavy: bool = False) -> Launched:
    """Start a child, for heavy work or for all other; raises OSError."""
    ours, theirs = socket.socketpair()
    output, printed = os.pipe()
    try:
        process = subprocess.Popen(
            [*(config.command or command()), config.words(heavy=heavy)],
            stdin=theirs.fileno(),
            stdout=printed,
            stderr=printed,
            env=environment(os.environ),
        )
    except BaseException:
        ours.close()
        os.close(output)
        raise
    finally:
        theirs.close()
        os.close(printed)
    _let_it_yield(process.pid, config.nice_heavy if heavy else config.nice)
    return Launched(process=process, channel=ours, output=output)


def command() -> tuple[str, ...]:
    """The command line: without current directory and user site, with crash traces."""
    return (sys.executable, "-P", "-s", "-X", "faulthandler", "-m", CHILD)


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """The child's environment: how to run, and none of the service's secrets."""
    kept = {
        name: value
        for name, value in ours.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }
    return kept | _SET


def _let_it_yield(child: int, steps: int) -> None:
    """Make a process that has just begun nicer than we are, and so all its threads.

    Nice is a thread's own on Linux and inherited. It is not done by the child, whose
    imports would not have yielded yet, and never undone: that is a privilege.
    """
    nice = min(_NICEST, os.getpriority(os.PRIO_PROCESS, 0) + steps)
    with contextlib.suppress(OSError):  # it has ended, or a sandbox forbids it
        os.setpriority(os.PRIO_PROCESS, child, nice)
