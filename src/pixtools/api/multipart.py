"""Splitting a multipart/form-data body into its parts while it arrives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

MAX_PARTS: Final = 1000


@dataclass(frozen=True, slots=True)
class PartBegins:
    """The head of a part."""

    name: str
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class PartEnds:
    """A part is whole."""


Piece = PartBegins | PartEnds | bytes
"""What comes off the wire, in order; bytes belong to the part that began last."""


class Parts:
    """Feed it a body; it hands out heads, bytes and ends. 400 for what is no form."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise HTTPException(415, "Expected a body of type multipart/form-data.")
        if not options.get(b"boundary"):
            raise HTTPException(400, "The form's content type names no boundary.")
        self._pieces: list[Piece] = []
        self._headers: dict[str, str] = {}
        self._field = bytearray()
        self._value = bytearray()
        self._parts = 0
        self.ended = False
        """Whether the last boundary has come."""
        self._parser = self._made(options[b"boundary"])

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that this chunk completes."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise HTTPException(400, f"The form can't be read: {error}.") from None
        pieces, self._pieces = self._pieces, []
        return pieces

    def finish(self) -> None:
        """Say that the body is over; 400 if the form is not."""
        if not self.ended:
            raise HTTPException(400, "The form ends before its last boundary.")

    def _made(self, boundary: bytes) -> MultipartParser:
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise HTTPException(400, f"The form can't be read: {error}.") from None

    def _on_part_begin(self) -> None:
        self._headers = {}
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise FormParserError(f"it has more than {MAX_PARTS} parts")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        name = self._field.decode("latin-1").strip().lower()
        self._headers[name] = self._value.decode("latin-1").strip()
        self._field.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._headers.get("content-disposition"))
        if kind != b"form-data" or b"name" not in options:
            raise FormParserError("a part has no name")
        filename = options.get(b"filename")
        self._pieces.append(
            PartBegins(
                _text(options[b"name"]),
                None if filename is None else _text(filename),
                self._headers.get("content-type"),
            )
        )

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def _on_part_end(self) -> None:
        self._pieces.append(PartEnds())

    def _on_end(self) -> None:
        self.ended = True


def _text(raw: bytes) -> str:
    """Names are UTF-8 by today's standard; what is not was latin-1."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.replace("\x00", "")
