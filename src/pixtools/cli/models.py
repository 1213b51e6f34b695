"""`pixtools models`: the networks that remove noise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from pixtools.cli.say import size, teaching, to_stdout
from pixtools.domain.plan import Model
from pixtools.domain.weights import Weights
from pixtools.settings import load_settings

IMPORT_EPILOG = (
    "[b]Examples[/b]\n\n"
    "pixtools models import dncnn_color_blind.pth\n\n"
    "pixtools models import weights.safetensors --as quality"
)
LIST_EPILOG = "[b]Examples[/b]\n\npixtools models list\n\npixtools models list --json"
REMOVE_EPILOG = "[b]Examples[/b]\n\npixtools models remove quality"
SIGMAS = ("15", "25", "50")


def import_model(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A .pth, .pt or .safetensors file."),
    ],
    *,
    name: Annotated[
        Model | None,
        typer.Option("--as", help="Network it has to be for; else its shapes tell."),
    ] = None,
) -> None:
    """Take in weights of your own: checked, converted, tried; never run as code.

    Processes that start from now on use them instead of those that PixTools ships.
    """
    with teaching():
        from pixtools.wiring import models

        done = models.import_weights(load_settings(), file, name)
    _say(
        f"✓ {done.name}: {done.depth} convolutions of {done.channels} channels, "
        f"{size(done.bytes)}, SHA-256 {done.sha256[:12]}…"
    )
    _say(f"  It takes a noisy test picture from {done.before} to {done.after} dB.")
    _say("  Running servers and workers use it once they are started again.")


def list_models(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each network.")
    ] = False,
) -> None:
    """List the weights that are here, where they come from, and how good they are."""
    with teaching():
        from pixtools.wiring import models

        found = models.installed(load_settings())
    if as_json:
        for weights in found:
            to_stdout().print(json.dumps(asdict(weights)), soft_wrap=True, markup=False)
    elif found:
        _print(found)
    else:
        _say("No weights are here: pixtools models import FILE takes some in.")


def remove(
    name: Annotated[Model, typer.Argument(help="Network whose import is undone.")],
) -> None:
    """Take imported weights away; those that PixTools ships are used again."""
    with teaching():
        from pixtools.wiring import models

        models.remove_weights(load_settings(), name)
    _say(f"✓ The imported weights of {name} are removed.")


def build() -> typer.Typer:
    """The commands below `pixtools models`."""
    app = typer.Typer(
        help="Networks that remove noise: list them, bring your own.",
        no_args_is_help=True,
        rich_markup_mode="rich",
    )
    app.command("import", epilog=IMPORT_EPILOG)(import_model)
    app.command("list", epilog=LIST_EPILOG)(list_models)
    app.command("remove", epilog=REMOVE_EPILOG)(remove)
    return app


def _print(found: Sequence[Weights]) -> None:
    table = Table(box=None, pad_edge=False)
    for head in ("model", "weights", "in use", "size", "sha-256"):
        table.add_column(head, no_wrap=True)
    table.add_column("dB at σ 15 / 25 / 50")
    for weights in found:
        table.add_row(
            weights.name,
            weights.origin,
            "no" if weights.trouble or not weights.used else "yes",
            size(weights.bytes) if weights.bytes else "",
            weights.sha256[:12],
            weights.trouble or _decibels(weights),
        )
    to_stdout().print(table, markup=False)


def _decibels(weights: Weights) -> str:
    if not all(sigma in weights.psnr for sigma in SIGMAS):
        return "not measured"
    return " / ".join(f"{weights.psnr[sigma]:.1f}" for sigma in SIGMAS)


def _say(text: str) -> None:
    to_stdout().print(text, markup=False, highlight=False, soft_wrap=True)
