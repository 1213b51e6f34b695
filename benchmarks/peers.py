"""Who takes part, how each is started, and what each needs to be there."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.jobs import FOUR, WEBP_EQUAL, WEBP_OWN, Job

_PEERS: Final = Path(__file__).parent / "peers"
_SHARP: Final = (str(_PEERS / "sharp.mjs"),)

OURS: Final = "pixtools"
FLOOR: Final = "floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One who is measured: its command, without the order, and the jobs it takes.

    `missing` gives the sentence that says what has to be installed, or None.
    """

    name: str
    title: str
    command: tuple[str, ...]
    missing: Callable[[], str | None] = lambda: None
    takes: Callable[[Job], bool] = lambda _: True


def _python(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"benchmarks.contenders.{name}")


def _program(name: str, package: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        return None if shutil.which(name) else f"{name} ({package}) is not installed"

    return missing


def _module(name: str) -> Callable[[], str | None]:
    def missing() -> str | None:
        return None if find_spec(name) else f"the Python package {name} is missing"

    return missing


def _sharp_missing() -> str | None:
    if shutil.which("node") is None:
        return "node is not installed"
    if not (_PEERS / "node_modules" / "sharp").is_dir():
        return "sharp is missing: run `npm ci` in benchmarks/peers"
    return None


def _scales_to_jpeg(job: Job) -> bool:
    return all(wanted.format == "jpg" and wanted.side for wanted in job.wanted)


CONTENDERS: Final[tuple[Contender, ...]] = (
    Contender(name=OURS, title="PixTools", command=_python("pixtools")),
    Contender(
        name="sharp",
        title="sharp",
        command=("node", *_SHARP),
        missing=_sharp_missing,
    ),
    Contender(
        name="sharp-plain",
        title="sharp, optimiseCoding off",
        command=("node", *_SHARP, "--plain"),
        missing=_sharp_missing,
        takes=lambda job: job.name == FOUR,
    ),
    Contender(
        name="sharp-careful",
        title="sharp, fastShrinkOnLoad off",
        command=("node", *_SHARP, "--careful"),
        missing=_sharp_missing,
        takes=lambda job: job.name in {WEBP_OWN, WEBP_EQUAL},
    ),
    Contender(
        name="vipsthumbnail",
        title="vipsthumbnail, once per output",
        command=_python("vipsthumbnail"),
        missing=_program("vipsthumbnail", "Debian package libvips-tools"),
    ),
    Contender(
        name="pillow",
        title="Pillow, one decode per output",
        command=_python("pillow"),
        missing=_module("PIL"),
    ),
    Contender(
        name=FLOOR,
        title="floor: libjpeg-turbo without scaling",
        command=_python("floor"),
        missing=_module("simplejpeg"),
        takes=_scales_to_jpeg,
    ),
)
