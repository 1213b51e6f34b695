"""`pixtools usage`: what one's jobs have cost, by day."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from pixtools.cli.client import Answered, connected
from pixtools.cli.say import size, teaching, to_stdout
from pixtools.cli.words import HERE, Server

EPILOG = (
    "[b]Examples[/b]\n\n"
    "pixtools usage\n\n"
    "pixtools usage --from 2026-01-01 --to 2026-01-31\n\n"
    "pixtools usage --server http://127.0.0.1:8000 --json"
)
UNITS = ((3600, "h"), (60, "min"), (1, "s"))


def usage(
    *,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="First day; 30 days in default."),
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last day; today.")
    ] = None,
    server: Server = HERE,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what the server answers.")
    ] = False,
) -> None:
    """Show what your jobs have cost, by the day (UTC) on which they ended.

    Days without jobs are left out of the table. Where the server asks who you are, set
    PIXTOOLS_API_KEY to your API key.
    """
    with teaching():
        with connected(server) as client:
            told = client.usage(first, last)
        if as_json:
            to_stdout().print(json.dumps(told), soft_wrap=True, markup=False)
        else:
            _print(told)


def _print(told: Mapping[str, Any]) -> None:
    try:
        rows = [_row(day["day"], day) for day in told["data"] if day["jobs"]]
        total = _row("all", told["total"])
        between = f"between {told['from']} and {told['to']}"
    except (KeyError, TypeError, ValueError):
        raise Answered("The server does not answer like PixTools.") from None
    if not rows:
        text = f"No job has ended {between}."
        to_stdout().print(text, highlight=False, markup=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, show_footer=True)
    names = ("day", "jobs", "outputs", "megapixels", "saved", "CPU time")
    for name, sum_ in zip(names, total, strict=True):
        table.add_column(
            name, footer=sum_, justify="left" if name == "day" else "right"
        )
    for row in rows:
        table.add_row(*map(Text, row))
    to_stdout().print(table, highlight=False)


def _row(name: str, cost: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        f"{cost['jobs']:,}",
        f"{cost['outputs']:,}",
        f"{cost['pixels_processed'] / 1e6:,.1f}",
        size(cost["bytes_saved"]),
        duration(cost["compute_time_ms"]),
    )


def duration(milliseconds: int) -> str:
    """A time for people: `340 ms`, `12.5 s`, `3.2 min`, `41.0 h`."""
    seconds = milliseconds / 1000
    for unit, name in UNITS:
        if seconds >= unit:
            return f"{seconds / unit:,.1f} {name}"
    return f"{milliseconds} ms"
