"""One process that denoises one file as a worker does; prints a `Shift` as JSON.

The network is open before the clock starts, as in a worker that is warm.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.stopwatch import clock, tell
from pixtools.domain.plan import Denoise, Encode, OutputPlan, RenderPlan
from pixtools.engine import Denoisers, EngineConfig, open_engine, render


def main() -> None:
    """Read the order, do it, tell."""
    told = json.loads(sys.argv[1])
    folder = Path(told["models"]) if told["models"] else None
    config = EngineConfig(models_dir=folder, precision=told["precision"])
    open_engine(config)
    denoisers = Denoisers(config)
    denoisers.open(told["model"])
    plan = RenderPlan(
        outputs=(
            OutputPlan(
                id="clean",
                action="denoise",
                encode=Encode(format="jpg", quality=90),
                denoise=Denoise(model=told["model"]),
            ),
        )
    )
    source, out = Path(told["source"]), Path(told["out"])

    def work() -> dict[str, str]:
        report = render(source, plan, out, denoisers=denoisers)
        (made,) = report.outputs
        if made.model != told["model"]:
            raise RuntimeError(f"{made.model} ran, noise {made.noise_sigma}")
        return {"clean": str(out / made.file)}

    tell(clock(work, told["repeats"]))


if __name__ == "__main__":
    main()
