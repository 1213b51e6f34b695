"""The loop: cut patches, spoil them, learn, look at real photographs now and then."""

from __future__ import annotations

import copy
import json
import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from training import written
from training.average import Average
from training.checkpoint import Checkpoint, Moment, beginning, load, save
from training.dice import Dice
from training.jpeg import MARGIN
from training.loss import relative_error
from training.networks import Denoiser, idle, initialise
from training.noise import Patches, spoiled
from training.optimiser import Optimiser
from training.options import Options
from training.photos import held_out
from training.pool import Pool
from training.schedule import Clock, asleep, rate, renewal
from training.validation import scores

LOG = logging.getLogger("training")

LOOK = 10
"""Steps between two looks at the loss, each of which waits for the device."""

Network = Callable[[Tensor, Tensor], Tensor]


class Trainer:
    """One run of the program: from a seed or a checkpoint to the clock's end."""

    def __init__(self, options: Options, started: float) -> None:
        self.options = options
        self.device = torch.device(options.device)
        self._brief = has_bfloat16(self.device)
        self.progress = beginning(options.rate)
        network = Denoiser(options.variant)
        initialise(network, options.seed, self._asleep())
        self.network = network.to(self.device)
        self.average = Average(self.network)
        self._optimiser = Optimiser(self.network, muon=options.muon)
        if options.resume is not None:
            self._go_on(options.resume)
        self._grown()
        self.progress["commands"].append(options.said)
        self._good = copy.deepcopy(self.checkpoint())
        self._photos = held_out(options.sizes.crop)
        self._leave_at = started + 60.0 * options.leave_after

    @property
    def finished(self) -> bool:
        return self.progress["seconds"] >= 60.0 * self.options.minutes

    def run(self) -> None:
        """Train until the time is up, or until this run has to leave."""
        pool = self._pool()
        made_before = self.progress["photographs"]
        network, every = self._warmed(pool)
        clock = Clock(
            60.0 * self.options.minutes, self.progress["seconds"], time.monotonic
        )
        reported, losses = time.monotonic(), [0.0]
        over = False
        while not over:
            loss = self._stretch(network, pool, clock, every)
            self.progress["photographs"] = made_before + pool.made
            self.progress["seconds"] = clock.spent
            if self._grown():
                network, every = self._warmed(pool)
            over = self.finished or time.monotonic() > self._leave_at
            if not math.isfinite(loss):
                self.go_back()
                continue
            losses.append(loss)
            if time.monotonic() - reported > self.options.report:
                self._report(losses)
                reported, losses = time.monotonic(), []
        self._report(losses or [0.0])

    def checkpoint(self) -> Checkpoint:
        return {
            "variant": self.options.variant.name,
            "seed": self.options.seed,
            "weights": self.network.state_dict(),
            "average": self.average.network.state_dict(),
            "optimiser": self._optimiser.state(),
            "progress": self.progress,
        }

    def go_back(self) -> None:
        """Return to the last checkpoint, with half the rate, keeping the clock."""
        seconds, slower = self.progress["seconds"], self.progress["rate"] / 2
        self._take(copy.deepcopy(self._good))
        self.progress["seconds"], self.progress["rate"] = seconds, slower
        LOG.warning(
            "The loss is no number: back to the last checkpoint, rate %g", slower
        )

    def _grown(self) -> bool:
        """Wake the layers whose time has come; return whether there were any."""
        before = self.network.asleep
        self.network.asleep = idle(self.network) & self._asleep()
        return bool(self.network.asleep != before)

    def _asleep(self) -> frozenset[int]:
        if not self.options.grow:
            return frozenset()
        share = self.progress["seconds"] / (60.0 * self.options.minutes)
        return asleep(self.options.variant.depth, share)

    def _pool(self) -> Pool:
        asked, began = self.options, time.monotonic()
        # Each run sees other photographs than the runs before it.
        self._dice = Dice(
            self.device, asked.seed + 7919 * len(self.progress["commands"])
        )
        pool = Pool(self._dice, asked.sizes.pool, asked.sizes.side, asked.sizes.chunk)
        self._wait()
        LOG.info("%d photographs made in %.1f s", pool.made, time.monotonic() - began)
        return pool

    def _warmed(self, pool: Pool) -> tuple[Network, int]:
        """Compile and time one step; return it, and the steps between new pictures."""
        network: Network = self.network
        if self.options.compile:
            network = torch.compile(self.network)
        try:
            self._timed(lambda: self._step(network, pool, 0.0), 2)
        except RuntimeError as failure:
            if network is self.network:
                raise
            LOG.warning("Not compiled: %s", str(failure).splitlines()[0])
            network = self.network
        stepping = self._timed(lambda: self._step(network, pool, 0.0), 3)
        self._timed(pool.renew, 1)
        making = self._timed(pool.renew, 1)
        every = renewal(making, stepping, self.options.data_share)
        text = "%.1f ms a step; %d photographs take %.1f ms: new ones every %d steps"
        LOG.info(text, 1e3 * stepping, self.options.sizes.chunk, 1e3 * making, every)
        return network, every

    def _timed(self, work: Callable[[], object], times: int) -> float:
        self._wait()
        began = time.monotonic()
        for _ in range(times):
            work()
        self._wait()
        return (time.monotonic() - began) / times

    def _stretch(self, network: Network, pool: Pool, clock: Clock, every: int) -> float:
        """Make LOOK steps; return the last one's loss."""
        loss = torch.zeros(())
        for _ in range(LOOK):
            loss = self._step(network, pool, rate(self.progress["rate"], clock.share))
            self.progress["steps"] += 1
            self.progress["patches"] += self.options.sizes.batch
            self.average.follow(self.network, self.progress["steps"])
            if self.progress["steps"] % every == 0:
                pool.renew()
        return float(loss)

    def _step(self, network: Network, pool: Pool, learning: float) -> Tensor:
        loss = torch.zeros((), device=self.device)
        for piece in self._patches(pool).pieces(self.options.sizes.piece):
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self._brief):
                denoised = network(piece.noisy, piece.sigma)
            error = relative_error(denoised, piece.clean, piece.noisy)
            error *= len(piece.sigma) / self.options.sizes.batch
            error.backward()
            loss += error.detach()
        self._optimiser.step(learning)
        return loss

    def _patches(self, pool: Pool) -> Patches:
        sizes = self.options.sizes
        with torch.no_grad():
            return spoiled(self._dice, pool.cut(sizes.batch, sizes.patch + MARGIN))

    def _report(self, losses: list[float]) -> None:
        """Validate, note, and leave a checkpoint."""
        moment: Moment = {
            "minutes": round(self.progress["seconds"] / 60.0, 2),
            "steps": self.progress["steps"],
            "loss": round(sum(losses) / len(losses), 4),
            "psnr": scores(self.average.network, self._photos),
        }
        LOG.info("%s", json.dumps(moment))
        self.progress["history"].append(moment)
        save(self.options.out / f"{self.options.variant.name}.pt", self.checkpoint())
        self._good = copy.deepcopy(self.checkpoint())

    def _go_on(self, path: Path) -> None:
        if path.suffix != ".onnx":
            self._take(load(path, self.options.variant.name))
            return
        found = written.weights(path, self.options.variant)
        for network in (self.network, self.average.network):
            network.load_state_dict(found)
        self.progress = written.progress(path.with_suffix(".json"), self.options.rate)

    def _take(self, found: Checkpoint) -> None:
        self.network.load_state_dict(found["weights"])
        self.average.network.load_state_dict(found["average"])
        self._optimiser.restore(found["optimiser"])
        self.progress = found["progress"]

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def has_bfloat16(device: torch.device) -> bool:
    """Return whether numbers of half the length are multiplied faster there."""
    # PyTorch asks the processor only here, and tells nobody but itself.
    asked = (torch.cpu._is_amx_tile_supported, torch.cpu._is_avx512_bf16_supported)  # noqa: SLF001
    return device.type == "cuda" or any(here() for here in asked)
