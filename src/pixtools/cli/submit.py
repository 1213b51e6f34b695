"""`pixtools submit`: send photos to a server and fetch what it makes."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from pixtools.cli.bar import Tick, photo_bar
from pixtools.cli.client import Client, connected
from pixtools.cli.flags import asked, with_picture_flags
from pixtools.cli.say import FAILED, failed, noise, size, teaching, to_stdout
from pixtools.cli.words import (
    HERE,
    AsJson,
    Formats,
    OutFolder,
    Photos,
    PipelineFile,
    PresetName,
    Server,
    WithMetadata,
)
from pixtools.domain.errors import Canceled, PixtoolsError
from pixtools.domain.formats import FORMATS
from pixtools.domain.operations.actions import STEP_ID

EPILOG = (
    "[b]Examples[/b]\n\n"
    "pixtools submit photo.jpg --preset gallery --out site\n\n"
    "pixtools submit *.jpg --to webp --server http://127.0.0.1:8000 --json"
)
AT_ONCE = 4
NOISE_FACTS = ("noise_sigma", "model", "skipped")


@dataclass(frozen=True, slots=True)
class Errand:
    """What is done with each photo."""

    fields: Mapping[str, str]
    out: Path | None
    wait: bool


@with_picture_flags
def submit(
    files: Photos,
    *,
    server: Server = HERE,
    to: Formats = None,
    preset: PresetName = None,
    pipeline: PipelineFile = None,
    metadata: WithMetadata = False,
    webhook_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Whom to tell when it is done.")
    ] = None,
    out: OutFolder = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until the job has ended.")
    ] = True,
    as_json: AsJson = False,
    **picture: Any,  # noqa: ANN401 - derived flags
) -> None:
    """Send photos to a PixTools server, wait, and fetch what it made.

    Where the server asks who you are, set PIXTOOLS_API_KEY to your API key.

    Exit code 0 says that all was made, 1 that something failed, 2 that the call
    makes no sense.
    """
    with teaching():
        wanted = asked(
            to=to, preset=preset, pipeline=pipeline, metadata=metadata, picture=picture
        )
        fields = {"pipeline": json.dumps(wanted.pipeline.canonical())}
        if webhook_url:
            fields["webhook_url"] = webhook_url
        errand = Errand(fields, out, wait or out is not None)
        with connected(server) as client, photo_bar(len(files)) as tick:
            results = [
                _told(photo, job, as_json=as_json)
                for photo, job in _run(files, client, errand, tick)
            ]
    if not all(results):
        raise typer.Exit(FAILED)


def _run(
    files: list[Path], client: Client, errand: Errand, tick: Tick
) -> Iterator[tuple[Path, dict[str, Any] | PixtoolsError]]:
    stopping = threading.Event()

    def tell(photo: Path, fraction: float) -> None:
        if stopping.is_set():
            raise Canceled
        tick(photo, fraction)

    with ThreadPoolExecutor(min(AT_ONCE, len(files))) as pool:
        try:
            waiting = {
                pool.submit(_one, photo, client, errand, tell): photo for photo in files
            }
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            stopping.set()
            pool.shutdown(wait=False, cancel_futures=True)


def _one(
    photo: Path, client: Client, errand: Errand, tick: Callable[[Path, float], None]
) -> dict[str, Any] | PixtoolsError:
    try:
        job = client.submit(photo, errand.fields)
        if errand.wait:
            job = client.wait(job, lambda fraction: tick(photo, fraction))
        if errand.out:
            _fetch(photo, job, client, errand.out)
    except PixtoolsError as error:
        return error
    except OSError as error:
        return PixtoolsError(f"{error.strerror or error}")
    return job


def _fetch(photo: Path, job: dict[str, Any], client: Client, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for output in job["outputs"]:
        if output["status"] == "succeeded":
            client.download(output["url"], out / _name(photo, output))


def _name(photo: Path, output: Mapping[str, Any]) -> str:
    """A file name of our own making: a server's words are data, not paths."""
    kind = FORMATS.get(str(output["format"]))
    if kind is None or not re.fullmatch(STEP_ID, str(output["id"])):
        raise PixtoolsError("The server named an output that can't be one of ours.")
    return f"{photo.stem}-{output['id']}.{kind.extension}"


def _told(photo: Path, job: dict[str, Any] | PixtoolsError, *, as_json: bool) -> bool:
    if isinstance(job, PixtoolsError):
        failed(f"{photo}: {job.detail}")
        return False
    if as_json:
        to_stdout().print(json.dumps(job), soft_wrap=True, markup=False)
    else:
        _print(photo, job)
    return job["status"] not in ("failed", "partial", "canceled")


def _print(photo: Path, job: dict[str, Any]) -> None:
    console = to_stdout()
    text = f"{photo}: {job['status']} ({job['job_id']})"
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    if job["error"]:
        failed(f"{photo}: {job['error']['detail']}")
    for output in job["outputs"]:
        if output["error"] and not job["error"]:
            failed(f"{photo} ({output['id']}): {output['error']['detail']}")
        elif output["status"] == "succeeded":
            facts = f"{output['width']}×{output['height']} {size(output['bytes'])}"
            about = noise(*(output.get(name) for name in NOISE_FACTS))
            line = f"  {output['id']}: {facts} {about}".rstrip()
            console.print(line, markup=False, highlight=False, soft_wrap=True)
