"""`pixtools process`: photos in, files out, without a server."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from pixtools.cli.bar import photo_bar
from pixtools.cli.flags import asked, with_picture_flags
from pixtools.cli.local import Done, prepare, work_through
from pixtools.cli.say import FAILED, failed, noise, size, teaching, to_stdout
from pixtools.cli.words import (
    AsJson,
    Formats,
    OutFolder,
    Photos,
    PipelineFile,
    PresetName,
    WithMetadata,
)
from pixtools.domain.report import OutputFacts
from pixtools.settings import load_settings
from pixtools.wiring.pixels import kitchen

EPILOG = (
    "[b]Examples[/b]\n\n"
    "pixtools process *.jpg --to webp,avif --width 1280 --out small\n\n"
    "pixtools process photo.jpg --preset gallery --out site\n\n"
    "pixtools process noisy.jpg --denoise --to webp\n\n"
    "pixtools process photo.jpg --metadata --json"
)


@with_picture_flags
def process(
    files: Photos,
    *,
    to: Formats = None,
    preset: PresetName = None,
    pipeline: PipelineFile = None,
    metadata: WithMetadata = False,
    out: OutFolder = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", metavar="N", min=1, max=64, help="Photos at once."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace results that exist.")
    ] = False,
    as_json: AsJson = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print failures only.")
    ] = False,
    **picture: Any,  # noqa: ANN401 - derived flags
) -> None:
    """Turn photos into other files on this machine. No server is needed.

    Results stand beside their photo unless --out names a folder. Exit code 0 says
    that all was made, 1 that something failed, 2 that the call makes no sense.
    """
    with teaching():
        wanted = asked(
            to=to, preset=preset, pipeline=pipeline, metadata=metadata, picture=picture
        )
        settings = load_settings()
        at_once = min(jobs or settings.workers, len(files))
        plan = prepare(files, wanted, out, overwrite=overwrite)
        with (
            kitchen(settings, at_once) as stove,
            photo_bar(len(files), hidden=quiet) as tick,
        ):
            ends = work_through(files, plan, stove, at_once=at_once, progress=tick)
            results = [_told(done, as_json=as_json, quiet=quiet) for done in ends]
    if not all(results):
        raise typer.Exit(FAILED)


def _told(done: Done, *, as_json: bool, quiet: bool) -> bool:
    """Print how one photo ended; True if all of it was made."""
    if as_json:
        to_stdout().print(json.dumps(_document(done)), soft_wrap=True, markup=False)
        return done.good
    if done.error:
        failed(f"{done.source}: {done.error.detail}")
    for failure in done.failures:
        failed(f"{done.source} ({failure.id}): {failure.detail}")
    if not quiet:
        _print_made(done)
    return done.good


def _print_made(done: Done) -> None:
    console = to_stdout()
    for facts, path in done.outputs:
        about = noise(facts.noise_sigma, facts.model, facts.skipped)
        what = f"{facts.width}×{facts.height} {size(facts.bytes)} {about}".rstrip()
        text = f"{escape(str(path))} [dim]{what}[/]"
        console.print(text, soft_wrap=True, highlight=False)
    for name, value in (done.metadata or {}).items():
        console.print(
            f"  {name}: {value}", markup=False, highlight=False, soft_wrap=True
        )


def _document(done: Done) -> dict[str, Any]:
    """One photo as JSON, in the words of the job document."""
    error = (
        {"code": done.error.code, "detail": done.error.detail} if done.error else None
    )
    return {
        "file": str(done.source),
        "status": "succeeded" if done.good else "partial" if done.outputs else "failed",
        "outputs": [_output(facts, path) for facts, path in done.outputs]
        + [
            {
                "id": failure.id,
                "status": "failed",
                "error": {"code": failure.code, "detail": failure.detail},
            }
            for failure in done.failures
        ],
        "metadata": done.metadata,
        "error": error,
        "compute_time_ms": done.cpu_ms,
    }


def _output(facts: OutputFacts, path: Path) -> dict[str, Any]:
    return {
        "id": facts.id,
        "status": "succeeded",
        "file": str(path),
        "format": facts.format,
        "width": facts.width,
        "height": facts.height,
        "bytes": facts.bytes,
        "sha256": _sha256(path),
        "duration_ms": facts.duration_ms,
        "noise_sigma": facts.noise_sigma,
        "model": facts.model,
        "skipped": facts.skipped,
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
