"""The one progress bar that commands over many photos share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from pixtools.cli.say import to_stderr


class Tick:
    """Moves one bar by the fractions of many photos."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar, self._task = bar, task
        self._fractions: dict[Path, float] = {}

    def __call__(self, source: Path, fraction: float) -> None:
        """Photo `source` is done by `fraction` (0..1)."""
        self._fractions[source] = fraction
        self._bar.update(self._task, completed=round(sum(self._fractions.values()), 1))


@contextmanager
def photo_bar(total: int, *, hidden: bool = False) -> Iterator[Tick]:
    """A bar on stderr that vanishes at the end; none where nobody looks."""
    console = to_stderr()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=hidden or not console.is_terminal,
    )
    with bar:
        yield Tick(bar, bar.add_task("Photos", total=total))
