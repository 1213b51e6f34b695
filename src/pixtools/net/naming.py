"""What a server calls the file that it serves."""

from __future__ import annotations

from email.message import Message
from urllib.parse import unquote


def filename_of(disposition: str | None, target: str) -> str | None:
    """The name in Content-Disposition, else the last part of the path; None if empty.

    It is data, never a path: whoever shows it cleans it.
    """
    path, _, _ = target.partition("?")
    named = _disposed(disposition) if disposition else None
    name = (named or unquote(path)).rstrip("/").rpartition("/")[2]
    return "".join(letter for letter in name if letter.isprintable())[:255] or None


def _disposed(disposition: str) -> str | None:
    message = Message()
    message["Content-Disposition"] = disposition
    try:
        return message.get_filename()
    except (ValueError, LookupError, TypeError):
        # A charset that nobody knows, or parts that can't be put in an order.
        return None
