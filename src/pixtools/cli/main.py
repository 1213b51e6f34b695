"""Every verb that a person types."""

from __future__ import annotations

import logging
from importlib.metadata import version
from typing import Annotated

import typer

from pixtools.cli import (
    doctor,
    keys,
    migrate,
    models,
    process,
    scheduler,
    serve,
    submit,
    usage,
    worker,
)

HELP = "Photos in, files out: as a service, as a command, without a cloud."


def build() -> typer.Typer:
    """The command line as a value; `main` runs it."""
    app = typer.Typer(
        name="pixtools",
        help=HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_root)
    for command, epilog in (
        (serve.serve, serve.EPILOG),
        (process.process, process.EPILOG),
        (submit.submit, submit.EPILOG),
        (usage.usage, usage.EPILOG),
        (worker.worker, worker.EPILOG),
        (scheduler.scheduler, scheduler.EPILOG),
        (migrate.migrate, migrate.EPILOG),
        (doctor.doctor, doctor.EPILOG),
    ):
        app.command(epilog=epilog, no_args_is_help=False)(command)
    app.add_typer(keys.build(), name="keys")
    app.add_typer(models.build(), name="models")
    return app


def main() -> None:
    """Run the command that was typed.

    Who serves keeps a log; everybody else is told in sentences, and not in bare words
    of one, too.
    """
    logging.getLogger("pixtools").addHandler(logging.NullHandler())
    build()()


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pixtools {version('pixtools')}")
        raise typer.Exit


def _root(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the version and exit.",
            callback=_show_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    del show_version
