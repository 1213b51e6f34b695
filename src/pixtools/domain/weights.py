"""Weights of a network that removes noise, as a person is told of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pixtools.domain.plan import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Where weights come from, whether they are in use, and how good they are.

    `psnr` holds decibels by σ out of 255, as far as the card tells; `trouble` says why
    they can't be used.
    """

    name: Model
    origin: Literal["shipped", "imported"]
    used: bool
    sha256: str = ""
    bytes: int = 0
    psnr: dict[str, float] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """What came of an import: decibels of a test picture without and with it."""

    name: Model
    depth: int
    channels: int
    bytes: int
    sha256: str
    before: float
    after: float
