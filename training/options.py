"""What a person says on the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path

from pixtools.engine.denoise.variants import VARIANTS, Variant


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done at once.

    `batch` patches per step with edges of `patch` pixels, `piece` of them at a time for
    want of memory, cut from `pool` photographs with edges of `side` pixels, of which
    `chunk` are made at a time; validation takes the middle `crop` pixels of real
    photographs.
    """

    batch: int
    piece: int
    patch: int
    pool: int
    side: int
    chunk: int
    crop: int


GRAPHICS = Sizes(
    batch=128, piece=128, patch=96, pool=4096, side=256, chunk=32, crop=256
)
PROCESSOR = Sizes(batch=16, piece=16, patch=96, pool=256, side=192, chunk=8, crop=128)


@dataclass(frozen=True, slots=True)
class Options:
    """One run of the program; `--help` says what each means.

    `said` is the command, paths without the folders of this machine.
    """

    said: list[str]
    variant: Variant
    device: str
    minutes: float
    leave_after: float
    out: Path
    resume: Path | None
    seed: int
    sizes: Sizes
    data_share: float
    rate: float
    muon: bool
    grow: bool
    compile: bool
    report: float
    threads: int


def parsed(arguments: list[str]) -> Options:
    """Read the command line; sizes that are not said follow from the device.

    Raises:
        SystemExit: It cannot be understood; the reason stands on standard error.
    """
    parser = _parser()
    asked = parser.parse_args(arguments)
    sizes = _sizes(asked)
    if sizes.patch % 16:
        parser.error(
            f"Expected a multiple of 16 for --patch but received {sizes.patch}."
        )
    return Options(
        said=["python", "-m", "training.train", *map(_named, arguments)],
        variant=VARIANTS[asked.variant],
        device=asked.device,
        minutes=asked.minutes,
        leave_after=asked.leave_after,
        out=asked.out,
        resume=asked.resume,
        seed=asked.seed,
        sizes=sizes,
        data_share=asked.data_share,
        rate=asked.rate,
        muon=asked.optimiser == "muon",
        grow=asked.grow,
        compile=asked.device.startswith("cuda") and not asked.eager,
        report=asked.report,
        threads=asked.threads,
    )


def _named(word: str) -> str:
    return Path(word).name if Path(word).is_absolute() else word


def _sizes(asked: argparse.Namespace) -> Sizes:
    usual = GRAPHICS if asked.device.startswith("cuda") else PROCESSOR
    said = {part.name: getattr(asked, part.name) for part in fields(Sizes)}
    return Sizes(**{name: said[name] or getattr(usual, name) for name in said})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training.train",
        description="Train a denoiser on made-up photographs, for as long as is said.",
    )
    _add_run(parser)
    _add_learning(parser)
    return parser


def _add_run(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--variant", choices=sorted(VARIANTS), default="quality")
    add("--device", default="cpu", help="cpu, cuda or cuda:N")
    add("--threads", type=int, default=1, help="threads of the processor")
    add("--minutes", type=float, required=True, help="length of the whole training")
    add(
        "--leave-after",
        type=float,
        default=1e9,
        metavar="MINUTES",
        help="end by then, counted from this run's start, ready to --resume",
    )
    add("--out", type=Path, required=True, help="folder for weights, card, checkpoint")
    add("--resume", type=Path, help="a checkpoint, or written weights with their card")
    add("--report", type=float, default=60.0, help="seconds between validations")
    add("--eager", action="store_true", help="do not compile, on a GPU")


def _add_learning(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--seed", type=int, default=1)
    add("--optimiser", choices=["muon", "adamw"], default="muon")
    add("--grow", action="store_true", help="begin with a third of the hidden layers")
    add("--rate", type=float, default=2e-3, help="peak learning rate")
    add("--data-share", type=float, default=0.12, help="share of time for photographs")
    add("--batch", type=int, help="patches per step")
    add("--piece", type=int, help="patches that go through the network at a time")
    add("--patch", type=int, help="pixels along a patch's edge, a multiple of 16")
    add("--pool", type=int, help="photographs that patches are cut from")
    add("--side", type=int, help="pixels along a photograph's edge")
    add("--chunk", type=int, help="photographs made at once")
    add("--crop", type=int, help="pixels along a validation photograph's edge")
