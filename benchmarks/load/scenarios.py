"""The seed's four scenarios, and two jobs of it, scaled to this machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.jobs import Wanted
from benchmarks.load import floor, seed
from benchmarks.load.bench import Bench
from benchmarks.load.figures import Run
from benchmarks.load.floor import Floor
from benchmarks.load.orders import HEAVY, LIGHT, TWO, Stream, Wish
from benchmarks.load.store import bare_puts

OTHERS, ARRIVALS, LIGHTS, HEAVIES = "others", "arrivals", "light", "heavy"
"""Names of streams that share a run with others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How much of everything; times in seconds."""

    pillow_repeats: int = 4
    jobs_of_two: int = 40
    jobs_of_light: int = 60
    baseline: float = 45
    flood: float = 15
    rush: float = 8
    storm_keys: int = 40
    starvation: float = 60
    heavies: int = 20
    patience: float = 150


FULL: Final = Scale()
QUICK: Final = Scale(
    pillow_repeats=2,
    jobs_of_two=12,
    jobs_of_light=16,
    baseline=10,
    flood=4,
    rush=3,
    storm_keys=10,
    starvation=12,
    heavies=6,
    patience=60,
)
CLIENTS: Final = 8
STORM_CLIENTS, TRIES = 32, 8
SATURATING: Final = 8
"""Clients who always have a job in the queue each."""
SHARE_ARRIVING: Final = 0.5
"""Of what the service does per second; the rest is done for those who saturate it."""
SHARE_LIGHT: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """A job that was done by the service, and by bare Pillow before and after it."""

    run: Run
    floor: Floor


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything that was measured."""

    two: Paired
    light: Paired
    baseline: Run
    spike: Run
    rush: Run
    storm: Run
    calm: Run
    starvation: Run
    puts: Sequence[float] = ()
    """Milliseconds of the photos of `two`, put into the store without a service."""

    @property
    def runs(self) -> dict[str, Run]:
        """Each run by its name."""
        return {
            "12 MP to PNG and WebP, 8 clients": self.two.run,
            "2 MP to WebP, 8 clients": self.light.run,
            "baseline": self.baseline,
            "spike": self.spike,
            "rush": self.rush,
            "retry storm": self.storm,
            "light jobs alone": self.calm,
            "starvation mix": self.starvation,
        }


def measure(
    bench: Bench, scale: Scale, work: Path, say: Callable[[str], None]
) -> Findings:
    """Run one scenario after the other."""
    bench.run(_pairs(LIGHT, 4))  # what is done for the first time is not measured
    say("12 MP to PNG and WebP at 1024, eight clients, between bare Pillow's turns")
    two = _paired(bench, TWO, floor.TWO_AT_1024, scale.jobs_of_two, scale, work)
    puts = _puts(bench)
    say("2 MP to WebP, eight clients, between bare Pillow's turns")
    light = _paired(bench, LIGHT, floor.WEBP, scale.jobs_of_light, scale, work)
    rate = light.run.done_per_second
    say(
        f"baseline: {SHARE_ARRIVING:.0%} of {rate:.1f} jobs/s arrive, workers saturated"
    )
    baseline = _baseline(bench, scale, rate)
    say(f"spike: {seed.FLOOD_RATE} jobs/s for {scale.flood:g} s, then nothing")
    spike = _spike(bench, scale)
    say(f"rush: {seed.FLOOD_CLIENTS} clients as fast as they can")
    rush = _rush(bench, scale)
    say(f"retry storm: {scale.storm_keys} keys, {TRIES} times each")
    storm = _storm(bench, scale)
    say("light jobs alone, then the same beside a flood of heavy ones")
    lights = _lights(scale, rate * SHARE_LIGHT)
    return Findings(
        two=two,
        light=light,
        baseline=baseline,
        spike=spike,
        rush=rush,
        storm=storm,
        calm=bench.run(lights, patience=scale.patience),
        starvation=_starvation(bench, scale, lights),
        puts=puts,
    )


def workers() -> int:
    """Pixel processes at once: one for each core, as the seed had."""
    return os.cpu_count() or 1


def _paired(
    bench: Bench,
    wish: Wish,
    wanted: Sequence[Wanted],
    jobs: int,
    scale: Scale,
    work: Path,
) -> Paired:
    photo, repeats = bench.photos[wish.photo], scale.pillow_repeats
    before = floor.measure(photo, wanted, repeats, work)
    run = bench.run(_pairs(wish, jobs), patience=scale.patience)
    after = floor.measure(photo, wanted, repeats, work)
    return Paired(run=run, floor=floor.mean(before, after))


def _puts(bench: Bench) -> Sequence[float]:
    bucket = bench.house.bucket
    return bare_puts(bucket, bench.photos[TWO.photo], CLIENTS) if bucket else ()


def _pairs(wish: Wish, jobs: int) -> Stream:
    """Eight clients, each of whom waits for its result before it comes again."""
    return Stream(
        name="clients",
        wish=wish,
        model="closed",
        seconds=120,
        jobs=jobs,
        clients=CLIENTS,
        waits=True,
    )


def _baseline(bench: Bench, scale: Scale, rate: float) -> Run:
    """A steady stream of clients, while others always want more than can be done."""
    others = Stream(
        name=OTHERS,
        wish=LIGHT,
        model="closed",
        seconds=scale.baseline + 3,
        clients=SATURATING,
        waits=True,
    )
    arrivals = Stream(
        name=ARRIVALS,
        wish=LIGHT,
        model="open",
        start=3,
        seconds=scale.baseline,
        rate=rate * SHARE_ARRIVING,
    )
    return bench.run(others, arrivals, patience=scale.patience)


def _spike(bench: Bench, scale: Scale) -> Run:
    """What the seed's thirty clients got accepted, by the clock."""
    flood = Stream(
        name="flood",
        wish=LIGHT,
        model="paced",
        seconds=scale.flood,
        rate=seed.FLOOD_RATE,
        clients=seed.FLOOD_CLIENTS,
    )
    return bench.run(flood, patience=scale.patience)


def _rush(bench: Bench, scale: Scale) -> Run:
    """Thirty clients who never rest; what waits afterwards is canceled."""
    rush = Stream(
        name="rush",
        wish=LIGHT,
        model="closed",
        seconds=scale.rush,
        clients=seed.FLOOD_CLIENTS,
    )
    return bench.run(rush, patience=scale.patience, until=())


def _storm(bench: Bench, scale: Scale) -> Run:
    """Every request eight times, most of them before the first is answered."""
    storm = Stream(
        name="storm",
        wish=LIGHT,
        model="closed",
        seconds=60,
        jobs=scale.storm_keys * TRIES,
        clients=STORM_CLIENTS,
        tries=TRIES,
    )
    return bench.run(storm, patience=scale.patience)


def _lights(scale: Scale, rate: float) -> Stream:
    return Stream(
        name=LIGHTS,
        wish=LIGHT,
        model="paced",
        start=2,
        seconds=scale.starvation,
        rate=rate,
    )


def _starvation(bench: Bench, scale: Scale, lights: Stream) -> Run:
    """The same light jobs at the same moments, behind a flood of heavy ones."""
    heavies = Stream(
        name=HEAVIES,
        wish=HEAVY,
        model="closed",
        seconds=60,
        jobs=scale.heavies,
        clients=4,
    )
    return bench.run(heavies, lights, until=(LIGHTS,), patience=scale.patience)
