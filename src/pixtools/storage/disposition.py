"""The download name of a file, as RFC 6266 and RFC 8187 write it."""

from __future__ import annotations

from urllib.parse import quote

_UNSAFE = set('"\\/%')


def attachment(filename: str) -> str:
    """A Content-Disposition that saves under `filename` and never opens in place.

    Paths become plain names. What old clients can't read stands once more in ASCII.
    """
    name = "".join("_" if c in "/\\" or not c.isprintable() else c for c in filename)
    plain = "".join("_" if c in _UNSAFE or not c.isascii() else c for c in name)
    header = f'attachment; filename="{plain}"'
    if plain == name:
        return header
    extended = quote(name, safe="!#$&+-.^_`|~", errors="replace")
    return f"{header}; filename*=UTF-8''{extended}"
