"""Measure the denoiser: `python -m benchmarks.denoise`.

Writes docs/reports/denoise.md: how near it and known methods come to the clean picture,
what it does to pictures without noise, how fast it is, and in how much memory; and
fills in the model card.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from training.photos import UNSEEN, held_out

from benchmarks import machine
from benchmarks.denoise import findings
from benchmarks.denoise.chance import stand_ins
from benchmarks.denoise.clean import estimates, kept
from benchmarks.denoise.findings import Quality, Speed
from benchmarks.denoise.ours import found, weights_files
from benchmarks.denoise.page import filled, shipped
from benchmarks.denoise.plots import draw
from benchmarks.denoise.quality import compared, unharmed
from benchmarks.denoise.report import document
from benchmarks.denoise.rivals import JUDGES, RIVALS
from benchmarks.denoise.speed import SIZES, SMALL, TORCH, floors, paces
from benchmarks.denoise.verdicts import verdicts

ROOT: Final = Path(__file__).resolve().parent.parent.parent
CROP: Final = 256
PAGE: Final = ROOT / "docs" / "explanation" / "denoiser.md"
REPORT: Final = ROOT / "docs" / "reports" / "denoise.md"
_PARTS: Final = ("quality", "speed")
_PACKAGES: Final = (
    "numpy", "onnxruntime", "opencv-python-headless", "scikit-image", "bm3d",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write, and print what was met and what was missed."""
    asked = _parser().parse_args(arguments)
    parts = [asked.only] if asked.only else _PARTS
    work: Path = asked.work
    if "quality" in parts:
        findings.save(_quality(asked), work / "quality.json")
    if "speed" in parts:
        before = findings.speed(work / "speed.json") if asked.size else None
        findings.save(findings.merged(_speed(asked), before), work / "speed.json")
    good = findings.quality(work / "quality.json")
    quick = findings.speed(work / "speed.json")
    if asked.report == REPORT:
        PAGE.write_text(filled(PAGE.read_text("utf-8"), shipped(), good), "utf-8")
    if good is None and quick is None:
        return
    asked.report.parent.mkdir(parents=True, exist_ok=True)
    pictures = draw(good, quick, work, asked.report.parent / "img")
    asked.report.write_text(document(good, quick, pictures), "utf-8")
    for verdict in verdicts(good, quick):
        print(verdict.line)
    print(f"The whole report: {asked.report}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.denoise", description=__doc__
    )
    out = ROOT / "benchmarks" / "out" / "denoise"
    parser.add_argument("--quick", action="store_true", help="a smoke test")
    parser.add_argument(
        "--only",
        choices=(*_PARTS, "page"),
        help="measure this part, or none, and take the others as they were",
    )
    parser.add_argument(
        "--size",
        action="append",
        choices=[size.title for size in SIZES],
        help="time pictures of this size, take the others as they were",
    )
    parser.add_argument("--models", type=Path, help="folder of imported weights")
    parser.add_argument("--work", type=Path, default=out, help="folder for pictures")
    parser.add_argument("--report", type=Path, default=REPORT, help="file to write")
    return parser


def _quality(asked: argparse.Namespace) -> Quality:
    crop, before = 192 if asked.quick else CROP, machine.load()
    rivals = [r for r in RIVALS if not asked.quick or r.name == "wavelet"]
    ours, photos = found(asked.models), held_out(crop)
    contenders = dict.fromkeys(ours, asked.models)
    scores = compared(photos, rivals, contenders, asked.work, _say)
    _say("pictures that no choice was made by")
    others, judges = held_out(crop, UNSEEN), [r for r in rivals if r.name in JUDGES]
    unseen = compared(others, judges, contenders, asked.work / "unseen", _say)
    _say("photographs without noise")
    return Quality(
        crop=crop,
        weights={one.name: weights_files(one, asked.models) for one in ours},
        scores=scores,
        others=unseen,
        unharmed={one.name: unharmed(one, photos, asked.models) for one in ours},
        estimates=estimates(),
        kept=kept(ours, asked.models, asked.work / "made"),
        facts=_facts(before),
    )


def _speed(asked: argparse.Namespace) -> Speed:
    before, ours = machine.load(), found(asked.models)
    chance = asked.work / "chance"
    others = stand_ins(ours, chance)
    contenders = dict.fromkeys(ours, asked.models) | dict.fromkeys(others, chance)
    wanted = asked.size or [size.title for size in SIZES]
    sizes = SMALL if asked.quick else [size for size in SIZES if size.title in wanted]
    rates, timed = floors(), paces(contenders, sizes, asked.work, _say)
    again = floors()
    return Speed(
        floors={name: max(rate, again[name]) for name, rate in rates.items()},
        paces=timed,
        by_chance=[one.name for one in others],
        facts=_facts(before) | _torch(),
    )


def _torch() -> dict[str, str]:
    return {} if os.environ.get(TORCH) else {"PyTorch": f"not run: set {TORCH}"}


def _facts(before: str) -> dict[str, str]:
    return {
        **machine.describe(_PACKAGES),
        "load average before and after": f"{before}; {machine.load()}",
    }


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
