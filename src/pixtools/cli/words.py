"""Flags that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pixtools.domain.presets import PRESETS

Photos = Annotated[list[Path], typer.Argument(help="Photos.", show_default=False)]
Formats = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="FORMATS", help="Formats to write, such as webp,avif."
    ),
]
PresetName = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help=f"A named set of outputs: {', '.join(PRESETS)}.",
    ),
]
PipelineFile = Annotated[
    Path | None,
    typer.Option(
        "--pipeline", metavar="FILE", help="JSON list of steps, as the API takes it."
    ),
]
WithMetadata = Annotated[
    bool, typer.Option("--metadata", help="Read camera, exposure, time and place.")
]
OutFolder = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Folder for the results."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON line for each photo.")
]
HERE = "http://127.0.0.1:8000"
Server = Annotated[
    str, typer.Option("--server", metavar="URL", help="Where PixTools runs.")
]
