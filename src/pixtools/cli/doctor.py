"""`pixtools doctor`: what works here, and what does not and why."""

from __future__ import annotations

import json
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Annotated

import typer
from rich.table import Table

from pixtools.cli.say import FAILED, teaching, to_stdout
from pixtools.domain.errors import PixtoolsError
from pixtools.settings import Settings, load_settings

EPILOG = "[b]Examples[/b]\n\npixtools doctor\n\npixtools doctor --json"
LOW_DISK = 1024**3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    good: bool
    detail: str


def doctor(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON.")
    ] = False,
) -> None:
    """Check this installation: pixels, formats, database, storage and disk.

    Redis and RabbitMQ, too, where their addresses are set.

    Exit code 0 says that all is well, 1 that something is not.
    """
    with teaching():
        findings = examine(load_settings())
    if as_json:
        text = json.dumps([asdict(finding) for finding in findings])
        to_stdout().print(text, soft_wrap=True, markup=False)
    else:
        _print(findings)
    if not all(finding.good for finding in findings):
        raise typer.Exit(FAILED)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; nothing that is found wrong stops the others."""
    from pixtools.wiring import checkup

    checks: dict[str, Callable[[Settings], str]] = {
        "PixTools": lambda _: (
            f"{version('pixtools')}, Python {platform.python_version()}"
        ),
        "Pixels": checkup.describe_pixels,
        "Database": checkup.describe_database,
        **({"Redis": checkup.describe_redis} if settings.redis_url else {}),
        **({"RabbitMQ": checkup.describe_broker} if settings.rabbitmq_url else {}),
        "Storage": checkup.describe_storage,
        "Disk": _disk,
    }
    return [_checked(name, check, settings) for name, check in checks.items()]


def _checked(
    name: str, check: Callable[[Settings], str], settings: Settings
) -> Finding:
    try:
        return Finding(name, good=True, detail=check(settings))
    except PixtoolsError as error:
        return Finding(name, good=False, detail=error.detail)
    except OSError as error:
        return Finding(name, good=False, detail=error.strerror or str(error))


def _disk(settings: Settings) -> str:
    folder = settings.pixtools_data_dir.resolve()
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise PixtoolsError(f"PIXTOOLS_DATA_DIR: nothing can be written at {folder}.")
    free = shutil.disk_usage(folder).free
    if free < LOW_DISK:
        raise PixtoolsError(f"Only {free / 1e6:.0f} MB are free at {folder}.")
    return f"{free / 1e9:.0f} GB free at {folder}"


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        mark = "[green]✓[/]" if finding.good else "[red]✗[/]"
        table.add_row(mark, finding.name, finding.detail)
    to_stdout().print(table)
