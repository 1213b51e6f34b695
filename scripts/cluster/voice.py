"""One terminal for many processes: each line says whose it is."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TextIO

COLOURS = (36, 32, 33, 35, 34)
"""Of ANSI terminals: cyan, green, yellow, magenta, blue."""


@dataclass(slots=True)
class Voice:
    """Prints lines, one at a time, each behind the name of who says it."""

    width: int = 0
    out: TextIO = field(default_factory=lambda: sys.stdout)
    _colours: dict[str, int] = field(default_factory=dict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, names: Iterable[str]) -> None:
        """Leave room for these names, and give each a colour."""
        for number, name in enumerate(names):
            self.width = max(self.width, len(name))
            self._colours[name] = COLOURS[number % len(COLOURS)]

    def say(self, name: str, line: str) -> None:
        """A line of one process."""
        label = f"{name:{self.width}} |"
        colour = self._colours.get(name)
        if colour and self._is_coloured():
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self.tell(f"{label} {line}")

    def tell(self, line: str) -> None:
        """A line of the cluster itself."""
        with self._turn:
            self.out.write(f"{line}\n")
            self.out.flush()

    def _is_coloured(self) -> bool:
        return self.out.isatty() and not os.environ.get("NO_COLOR")
