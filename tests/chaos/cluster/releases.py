"""`pixtools …` of releases that are still to come: they know a second version.

    python releases.py NEXT worker --queues default_queue

The next release understands it, the one after speaks it. Everything else is ours.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

NEXT: Final = "next"
NEXT_BUT_ONE: Final = "next-but-one"


def line(release: str, words: Sequence[str]) -> list[str]:
    """The command line of a process of that release."""
    return [sys.executable, str(Path(__file__)), release, *words]


def main() -> None:
    """Run the command of the rest of the line, as that release would."""
    from typing import Literal

    from pixtools.queue import contracts

    class TokenV2(contracts.TokenV1):
        """As the first, with another number."""

        v: Literal[2]  # type: ignore[assignment] # a version is not the other one

    release, *words = sys.argv[1:]
    second = tuple(contracts.Contract(each.kind, 2, TokenV2) for each in contracts.V1)
    contracts.ACCEPTED = (*contracts.V1, *second)  # type: ignore[misc] # a later release
    if release == NEXT_BUT_ONE:
        contracts.SPOKEN = second  # type: ignore[misc] # likewise
    sys.argv = ["pixtools", *words]
    from pixtools.cli.main import main as pixtools

    pixtools()


if __name__ == "__main__":
    main()
