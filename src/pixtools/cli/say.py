"""How the commands speak: results to stdout, everything else to stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from pixtools.domain.errors import InvalidRequest, PixtoolsError

MISUSED = 2
FAILED = 1
KILO = 1000


def to_stdout() -> Console:
    """For what was asked for."""
    return Console()


def to_stderr() -> Console:
    """For progress and trouble."""
    return Console(stderr=True)


def failed(text: str) -> None:
    """Say one sentence of trouble."""
    to_stderr().print(f"✗ {text}", style="red", markup=False, soft_wrap=True)


def size(count: int) -> str:
    """A byte count for people: `512 B`, `48 kB`, `2.4 MB`, `1.3 TB`."""
    if count < KILO:
        return f"{count} B"
    if count < KILO**2:
        return f"{count / KILO:.0f} kB"
    power = 2 + (count >= KILO**3) + (count >= KILO**4)
    return f"{count / KILO**power:,.1f} {'MGT'[power - 2]}B"


def noise(sigma: float | None, model: str | None, skipped: str | None) -> str:
    """What became of a picture's noise, for people; nothing where none was looked for.

    `sigma` out of 255.
    """
    if sigma is None:
        return ""
    if skipped:
        return f"already clean (noise of σ {sigma:.1f})"
    return f"removed noise of σ {sigma:.1f}, by {model}"


@contextmanager
def teaching() -> Iterator[None]:
    """Turn errors into a sentence and an exit code: 2 for a wrong call, else 1."""
    try:
        yield
    except InvalidRequest as error:
        _explain(error)
        raise typer.Exit(MISUSED) from None
    except PixtoolsError as error:
        _explain(error)
        raise typer.Exit(FAILED) from None


def _explain(error: PixtoolsError) -> None:
    lines = [field.detail for field in error.fields] or [error.detail]
    for line in lines:
        failed(line)
