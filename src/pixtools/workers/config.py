"""How many pixel children there are, and how long and large they may grow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pixtools.domain.limits import MIB
from pixtools.domain.plan import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkersConfig:
    """One pool of pixel children. Seconds, bytes.

    `count` is the most that live at once, `kept` how many stay warm without work.
    `memory_bytes` is shared by the pool: jobs run together as long as the sum of
    their estimates fits. A child is replaced when its memory after a job exceeds
    `recycle_rss_bytes`, or after `recycle_jobs` jobs. A canceled child gets
    `grace_seconds` to stop by itself. Children yield to their parent by `nice` steps,
    those for heavy work by `nice_heavy`. `command` starts another child than ours.

    One that has denoised holds a network, and is replaced when it exceeds
    `recycle_network_rss_bytes`. Of those for heavy work `kept_heavy` stay warm, too,
    and say hello only when their network is open. The rest is `engine.EngineConfig`'s.
    """

    count: int = 2
    kept: int = 1
    memory_bytes: int = 1024 * MIB
    recycle_rss_bytes: int = 96 * MIB
    recycle_jobs: int = 1000
    grace_seconds: float = 2.0
    start_seconds: float = 20.0
    idle_seconds: float = 60.0
    nice: int = 5
    nice_heavy: int = 15
    command: tuple[str, ...] = ()
    kept_heavy: int = 0
    recycle_network_rss_bytes: int = 400 * MIB
    models_dir: Path | None = None
    precision: Precision = "auto"
    denoise_threads: int = 0

    def words(self, *, heavy: bool) -> str:
        """What a child is told of this, as JSON on its command line."""
        told = {
            "models_dir": str(self.models_dir) if self.models_dir else None,
            "precision": self.precision,
            "denoise_threads": self.denoise_threads,
            "warm": heavy and self.kept_heavy > 0,
        }
        return json.dumps(told)
