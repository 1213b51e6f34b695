"""What was promised of the denoiser, and whether the numbers keep it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.denoise.clean import Kept
from benchmarks.denoise.findings import Quality, Speed
from benchmarks.denoise.quality import SIGMAS, Score, mean
from benchmarks.denoise.speed import EAGER, Pace
from benchmarks.verdicts import Verdict

_BEST: Final = "quality-float32"
_INT8: Final = "quality-int8"
_FAST: Final = "fast-float32"
_FAST_AS_USED: Final = "fast-float32-estimated"


def verdicts(good: Quality | None, quick: Speed | None) -> list[Verdict]:
    """Hold the findings against the targets."""
    return [*_good(good), *_quick(quick)]


def _good(found: Quality | None) -> Iterator[Verdict]:
    best = _FAST if found and _BEST not in found.scores else _BEST
    for sigma in SIGMAS:
        yield Verdict(
            what=f"PSNR above colour BM3D's, {best}, the best here, σ = {sigma}",
            bound=0,
            unit="dB",
            value=_gain(found, best, "bm3d", sigma),
            at_least=True,
        )
    yield Verdict(
        what="what quality loses in eight bits, at most",
        bound=0.1,
        unit="dB",
        value=_most_lost(found, _BEST, _INT8),
    )
    yield Verdict(
        what="what fast, with σ estimated, is behind quality, at most",
        bound=0.5,
        unit="dB",
        value=_most_lost(found, _BEST, _FAST_AS_USED),
    )
    for name in (_BEST, _INT8, _FAST):
        kept = [one for one in found.kept if one.model == name] if found else []
        yield _unharmed(f"{name} on the worst photo without noise, as it runs", kept)
    for name in (_BEST, _INT8, _FAST):
        blind = found.unharmed.get(name, []) if found else []
        what = f"{name} on the worst photo without noise, were it not skipped"
        yield _unharmed(what, blind)


def _unharmed(what: str, photos: Sequence[Score] | Sequence[Kept]) -> Verdict:
    worst = min((one.psnr for one in photos), default=None)
    return Verdict(what=what, bound=40, unit="dB", value=worst, at_least=True)


def _quick(found: Speed | None) -> Iterator[Verdict]:
    for name, bound in ((_INT8, 4.0), (_FAST, 10.0)):
        yield Verdict(
            what=f"speed of {name} ÷ PyTorch eager, 4 MP, processor time",
            bound=bound,
            unit="×",
            value=_times(found, name, EAGER, "4 MP"),
            at_least=True,
        )
    yield Verdict(
        what=f"speed of {_FAST} ÷ {_BEST}, 4 MP, processor time",
        bound=4,
        unit="×",
        value=_times(found, _FAST, _BEST, "4 MP"),
        at_least=True,
    )
    peaks = [p.peak_mb for p in found.paces if p.name != EAGER] if found else []
    yield Verdict(
        what="peak RSS of a process, any network and size",
        bound=400,
        unit="MB",
        value=max(peaks, default=None),
    )


def _gain(found: Quality | None, one: str, other: str, sigma: int) -> float | None:
    if found is None or one not in found.scores or other not in found.scores:
        return None
    return mean(found.scores[one], sigma) - mean(found.scores[other], sigma)


def _most_lost(found: Quality | None, best: str, other: str) -> float | None:
    gains = [_gain(found, best, other, sigma) for sigma in SIGMAS]
    return max((gain for gain in gains if gain is not None), default=None)


def _times(found: Speed | None, one: str, other: str, title: str) -> float | None:
    mine, theirs = pace(found, one, title), pace(found, other, title)
    if mine is None or theirs is None:
        return None
    return mine.per_cpu_second / theirs.per_cpu_second


def pace(found: Speed | None, name: str, title: str) -> Pace | None:
    """One contender at one size, if it ran."""
    for one in found.paces if found else ():
        if one.name == name and one.size.title == title:
            return one
    return None
