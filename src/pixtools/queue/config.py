"""What runners, workers, schedulers and their broker connection may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, get_args

from pixtools.domain.job import Lane

LANES: Final[tuple[Lane, ...]] = get_args(Lane)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerConfig:
    """`runners` threads take stages of `lanes`, `heavy` of them heavy ones, too.

    Times are in seconds.
    When the process stops, a stage has `finish_within` to end; then it is given back.
    `backstop` is how long a runner sleeps at most when no bell rings, and
    `upkeep` the time between two rounds of reaping and expiring.
    """

    runners: int = 2
    heavy: int = 1
    lanes: tuple[Lane, ...] = ("default_queue",)
    backstop: float = 2.0
    upkeep: float = 10.0
    expiry: float = 600.0
    finish_within: float = 3.0
    stop_within: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """How RabbitMQ is reached (`amqp://…`, `amqps://…`); times are in seconds.

    `delivery_limit` is how often a message may come back from workers that died with
    it. Queues keep the limits that they were first declared with.
    """

    url: str = field(repr=False)
    connect_within: float = 3.0
    answer_within: float = 5.0
    heartbeat: float = 30.0
    delivery_limit: int = 100
    dead_letters_kept: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerConfig:
    """A process whose `concurrency` threads take stages of `lanes`.

    `owner` is its name, unlike that of any other process, dead or alive. When it is
    asked to stop, a running stage has `finish_within` seconds to end and is then
    given back; after another `give_back_within` the process ends regardless.
    `heartbeat_file` is touched every `heartbeat_every` seconds while all is well; the
    consumer may be silent for `silence` seconds.
    """

    broker: BrokerConfig
    owner: str
    lanes: tuple[Lane, ...] = LANES
    concurrency: int = 2
    finish_within: float = 25.0
    give_back_within: float = 8.0
    heartbeat_file: Path | None = None
    heartbeat_every: float = 5.0
    silence: float = 45.0
    pause_after_trouble: float = 1.0
    metrics_port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerConfig:
    """How often a scheduler looks after what; times are in seconds.

    `backstop` is how long the relay sleeps at most when no bell rings.
    `heartbeat_file` is touched every `heartbeat_every` seconds while no duty but
    `expire`, which may have much to delete, has been silent for `silence`.
    """

    broker: BrokerConfig
    backstop: float = 1.0
    reconcile: float = 5.0
    reap: float = 10.0
    expiry: float = 600.0
    longest_pause: float = 5.0
    stop_within: float = 10.0
    heartbeat_file: Path | None = None
    heartbeat_every: float = 5.0
    silence: float = 60.0
    metrics_port: int = 0
