"""Names of files that people download. A client's file name is data, never a path."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from pixtools.domain.formats import FORMATS
from pixtools.domain.job import Job, Output

LONGEST_BASE: Final = 80
_FORBIDDEN: Final = frozenset('<>:"/\\|?*')
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$"}
    | {f"{device}{number}" for device in ("com", "lpt") for number in "0123456789¹²³"}
)
"""Names that Windows gives to devices, with any extension."""


def download_name(job: Job, output: Output) -> str:
    """What an output is called when it is saved."""
    extension = FORMATS[output.format].extension if output.format else "bin"
    if job.face == "api":
        return f"pixtools_{output.id}_{base_name(job)}.{extension}"
    return f"{base_name(job)}-{output.id}.{extension}"


def bundle_name(job: Job) -> str:
    """What a job's ZIP is called when it is saved."""
    if job.face == "api":
        return f"pixtools_bundle_{base_name(job)}.zip"
    return f"{base_name(job)}-bundle.zip"


def batch_bundle_name(batch_id: str) -> str:
    """What a batch's ZIP is called when it is saved."""
    return f"batch-{batch_id}.zip"


def base_name(job: Job) -> str:
    """The client's file name without folders and extension, made safe; else the id."""
    return safe_base(job.source.filename or "") or job.id


@lru_cache(maxsize=256)  # each of a job's files asks; more than end at a time
def safe_base(filename: str) -> str:
    """Make a name that any system can hold; empty if nothing of it remains.

    Letters of every script stay; folders, extension, control and format characters
    (which can turn text around), and what Windows forbids go.
    """
    last = filename.replace("\\", "/").rpartition("/")[2]
    stem = last.rpartition(".")[0] or last
    kept = "".join(
        "_" if letter in _FORBIDDEN else letter
        for letter in unicodedata.normalize("NFC", stem)
        if letter == " " or unicodedata.category(letter)[0] not in "CZ"
    )
    base = " ".join(kept[:LONGEST_BASE].split()).strip(". ")
    return f"{base}_" if base.partition(".")[0].lower() in _RESERVED else base


def unique(name: str, taken: set[str]) -> str:
    """Number a name until no other differs from it only in case; adds it to `taken`."""
    stem, dot, extension = name.rpartition(".")
    number, candidate = 1, name
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{stem} ({number}){dot}{extension}"
    taken.add(candidate.casefold())
    return candidate
