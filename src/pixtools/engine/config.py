"""How libvips and the denoiser are set up in this process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pixtools.domain.plan import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """`threads` is libvips' number of threads per operation.

    One thread per process is fastest where several processes share the cores.

    `models_dir` is a folder of imported weights, which win over those in the package.
    `precision` "auto" takes eight-bit weights where there are some and the processor
    is quicker with them. `denoise_threads` 0 is one per core, at most four.
    """

    threads: int = 1
    models_dir: Path | None = None
    precision: Precision = "auto"
    denoise_threads: int = 0
