"""Which faults happen together, and which alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.chaos.cluster import sabotage as break_by
from tests.chaos.cluster.sabotage import Sabotage


@dataclass(frozen=True, slots=True)
class Scenario:
    """A name, and what happens while hundreds of jobs are on their way."""

    name: str
    sabotages: tuple[Sabotage, ...] = ()
    may_stray: bool = False
    """Whether bytes may be left that no link leads to: see Findings.strays."""

    def __str__(self) -> str:
        """As the test's id."""
        return self.name


ALONE: Final = (
    Scenario("nothing"),
    Scenario("kill -9 API", (break_by.kill("api"),), may_stray=True),
    Scenario("kill -9 worker", (break_by.kill("worker"),), may_stray=True),
    Scenario("kill -9 pixel child", (break_by.kill_pixel_children,)),
    Scenario("kill -9 scheduler", (break_by.kill("scheduler"),)),
    Scenario("RabbitMQ restarts", (break_by.restart_rabbitmq,)),
    Scenario("queues purged", (break_by.purge_queues,)),
    Scenario("Redis away", (break_by.stop_redis,)),
    Scenario("PostgreSQL away", (break_by.stop_postgres,), may_stray=True),
    Scenario("S3 answers 5xx", (break_by.ERRORS,), may_stray=True),
    Scenario("S3 cuts connections", (break_by.CUTS,), may_stray=True),
    Scenario("S3 times out", (break_by.SILENCE,), may_stray=True),
    Scenario("worker frozen", (break_by.freeze_workers,), may_stray=True),
    Scenario("rolling restart", (break_by.restart_everything,)),
    Scenario("migrate", (break_by.migrate,)),
    Scenario("poison messages", (break_by.poison,)),
    Scenario("two versions of messages", (break_by.mix_releases,)),
)
"""Each fault by itself: for the report."""

TOGETHER: Final = (
    Scenario(
        "kill -9 API and scheduler",
        (break_by.kill("api", 3), break_by.kill("scheduler", 3)),
        may_stray=True,
    ),
    Scenario(
        "kill -9 worker and pixel child",
        (break_by.kill("worker", 3), break_by.kill_pixel_children),
        may_stray=True,
    ),
    Scenario(
        "RabbitMQ restarts, queues purged",
        (break_by.restart_rabbitmq, break_by.purge_queues),
    ),
    Scenario(
        "PostgreSQL away",
        (break_by.stop_postgres,),
        may_stray=True,
    ),
    Scenario(
        "Redis away, S3 fails",
        (break_by.stop_redis, break_by.ERRORS, break_by.CUTS, break_by.SILENCE),
        may_stray=True,
    ),
    Scenario("worker frozen", (break_by.freeze_workers,), may_stray=True),
    Scenario(
        "rolling restart, migrate",
        (break_by.restart_everything, break_by.migrate),
    ),
    Scenario(
        "two versions and poison",
        (break_by.mix_releases, break_by.poison),
    ),
)
"""The same faults in fewer jobs: for every day."""
