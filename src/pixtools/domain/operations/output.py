"""How an output is written: its format and what that format's encoder may do."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from pixtools.domain.formats import OutputFormat, canonical_name
from pixtools.domain.operations.colour import CssColour
from pixtools.domain.option import Declared, option
from pixtools.domain.plan import KeepMetadata

AnyFormat = Annotated[OutputFormat, BeforeValidator(canonical_name)]


class Output(Declared):
    """Options that every action which makes a picture shares."""

    format: AnyFormat | None = option(
        None, control="select", help="Format to write; the source's if left out."
    )
    quality: int | None = option(
        None,
        ge=1,
        le=100,
        control="slider",
        help="Quality of a lossy format; jpg and webp 80, avif 63 if left out.",
    )
    max_bytes: int | None = option(
        None,
        ge=1,
        unit="bytes",
        control="number",
        help="Write the best quality that fits into this many bytes.",
    )
    lossless: bool = option(
        False, control="switch", help="Compress webp or avif without loss."
    )
    effort: int | None = option(
        None,
        ge=0,
        le=10,
        control="slider",
        help="How hard the encoder tries: more is smaller and slower.",
    )
    background: CssColour = option(
        "white",
        max_length=64,
        control="colour",
        help="Colour behind transparent pixels and around padding.",
    )
    keep_metadata: KeepMetadata = option(
        "none",
        control="select",
        help="Metadata that the output carries: none, copyright, or all.",
    )
    never_larger: bool = option(
        False,
        control="switch",
        help="Keep the source's bytes where format and size stay "
        "and the result would be larger.",
    )
    animated: bool = option(
        False,
        control="switch",
        help="Keep all frames of an animation (webp and gif); else the first.",
    )
