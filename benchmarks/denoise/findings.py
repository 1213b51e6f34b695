"""What was measured, kept in files so that its parts can be measured on their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.denoise.clean import Estimates, Kept
from benchmarks.denoise.quality import Score, Scores
from benchmarks.denoise.speed import Pace, Size


@dataclass(slots=True, kw_only=True)
class Quality:
    """How good: `unharmed` are pictures without noise, by network, none skipped.

    `weights` holds files with their SHA-256 by network; `others` are pictures that no
    choice was made by.
    """

    crop: int
    facts: dict[str, str]
    weights: dict[str, dict[str, str]]
    scores: Scores
    others: Scores
    unharmed: Scores
    estimates: list[Estimates]
    kept: list[Kept]


@dataclass(slots=True, kw_only=True)
class Speed:
    """How fast: `floors` are multiplications per second and core by precision.

    `by_chance` names the networks that ran with weights of chance.
    """

    facts: dict[str, str]
    floors: dict[str, float]
    paces: list[Pace] = field(default_factory=list)
    by_chance: list[str] = field(default_factory=list)


def save(part: Quality | Speed, path: Path) -> None:
    """Keep a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(part)), "utf-8")


def merged(now: Speed, before: Speed | None) -> Speed:
    """What was timed now, and before it sizes that were not."""
    sizes = {pace.size.title for pace in now.paces}
    old = [p for p in before.paces if p.size.title not in sizes] if before else []
    paces = sorted([*old, *now.paces], key=lambda pace: pace.size.megapixels)
    return replace(now, paces=paces)


def quality(path: Path) -> Quality | None:
    """The part that was kept, if any."""
    if not path.exists():
        return None
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return Quality(
        crop=told["crop"],
        facts=told["facts"],
        weights=told["weights"],
        scores=_scores(told["scores"]),
        others=_scores(told["others"]),
        unharmed=_scores(told["unharmed"]),
        estimates=[Estimates(**row) for row in told["estimates"]],
        kept=[Kept(**row) for row in told["kept"]],
    )


def speed(path: Path) -> Speed | None:
    """The part that was kept, if any."""
    if not path.exists():
        return None
    told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    paces = [Pace(**{**row, "size": Size(**row["size"])}) for row in told["paces"]]
    return Speed(
        facts=told["facts"],
        floors=told["floors"],
        paces=paces,
        by_chance=told["by_chance"],
    )


def _scores(told: Mapping[str, Sequence[Mapping[str, Any]]]) -> Scores:
    return {name: [Score(**row) for row in rows] for name, rows in told.items()}
