"""The cluster under test with its servers, and doors behind all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.chaos.cluster import releases
from tests.chaos.cluster.broker import RawBroker
from tests.chaos.cluster.facts import Facts
from tests.chaos.cluster.promises import Promises
from tests.chaos.cluster.run import Run
from tests.chaos.cluster.servers import OURS, Servers
from tests.chaos.cluster.store import Store

from pixtools.testing import spaces
from pixtools.testing.cluster import ROLES, Cluster, cluster, settings_of
from pixtools.testing.faulty_proxy import FaultyProxy, Plan
from pixtools.testing.program import Program, command

LEASE_SECONDS: Final = 4
SETTINGS: Final = {
    "LEASE_SECONDS": str(LEASE_SECONDS),
    # Fewer than a scenario sends: clients meet 503, too.
    "QUEUE_SIZE": "150",
    # Redis is asked for every request, and never says no.
    "RATE_LIMIT_CAPACITY": "1000000",
    "LOG_FORMAT": "json",
    # Coverage would double what each process costs, and dies with it anyway.
    "COVERAGE_PROCESS_START": "",
    "COVERAGE_PROCESS_CONFIG": "",
}


@dataclass(slots=True)
class House:
    """What a scenario may break, and what it looks at afterwards."""

    servers: Servers
    cluster: Cluster
    proxy: FaultyProxy
    """Between the cluster and its objects."""
    facts: Facts
    store: Store
    broker: RawBroker
    promises: Promises
    strayed: set[str] = field(default_factory=set)
    """Bytes that earlier scenarios left, and no link leads to."""
    _plans: list[Plan] = field(default_factory=list)

    def urls(self) -> list[str]:
        """Where APIs listen, whether they live or not."""
        return [self.cluster.urls[name] for name in self.cluster.names("api")]

    def run(self, name: str, seed: int, *, may_stray: bool = False) -> Run:
        """Begin a scenario."""
        self.proxy.requests.clear()
        return Run(
            name=name,
            seed=seed,
            urls=self.urls,
            facts=self.facts,
            store=self.store,
            promises=self.promises,
            dead_letters=self.broker.dead_letters,
            waiting=self.broker.waiting,
            strayed=self.strayed,
            may_stray=may_stray,
        )

    def mend(self) -> None:
        """Let every server and every process be there and well."""
        self.servers.start(*OURS)
        self.mend_store(*self._plans)
        for name, program in self.cluster.programs.items():
            usual = command(*ROLES[name.rpartition("-")[0]])
            if not program.runs or program.line != usual:
                program.line = usual
                self.cluster.restart(name)
        self.broker.forget_dead_letters()

    def run_as(self, name: str, release: str) -> None:
        """Restart a process as one of another release."""
        program = self.cluster.process(name)
        program.line = releases.line(release, ROLES[name.rpartition("-")[0]])
        self.cluster.restart(name)

    def set_up_store(self) -> None:
        """Give the bucket its rules."""
        migrate = Program(
            command("migrate", "--storage"),
            self.cluster.process("api-1").settings,
            self.cluster.directory / "said" / "migrate.txt",
        )
        migrate.start()
        assert migrate.process.wait(60) == 0, migrate.words()

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """Hold a process in the middle of whatever it does, for a block."""
        self.cluster.freeze(name)
        try:
            yield
        finally:
            self.cluster.thaw(name)

    def break_store(self, plan: Plan) -> None:
        """Let requests to the store fail by this plan, too."""
        self._plans.append(plan)
        self._let_plans_rule()

    def mend_store(self, *plans: Plan) -> None:
        """Let these plans be over."""
        self._plans = [each for each in self._plans if each not in plans]
        self._let_plans_rule()

    def _let_plans_rule(self) -> None:
        plans = tuple(self._plans)
        self.proxy.plan = lambda request: next(
            (fault for plan in plans if (fault := plan(request))), None
        )


@contextmanager
def open_house(
    servers: Servers,
    s3: Mapping[str, str],
    promises: Promises,
    room: Path,
    **numbers: int,
) -> Iterator[House]:
    """So many of each process on real servers, for a block."""
    with ExitStack() as stack:
        bucket = stack.enter_context(spaces.fresh_bucket(s3))
        url = stack.enter_context(spaces.fresh_database(servers.lines["DATABASE_URL"]))
        where = urlsplit(bucket.endpoint)
        proxy = stack.enter_context(FaultyProxy(where.hostname or "", where.port or 80))
        settings = settings_of(
            postgres=url,
            rabbitmq=servers.lines["RABBITMQ_URL"],
            redis=servers.lines["REDIS_URL"],
            bucket=replace(bucket, endpoint=proxy.url),
        )
        public = {"S3_PUBLIC_ENDPOINT_URL": bucket.endpoint}
        store = Store(bucket)
        stack.callback(store.close)
        started = stack.enter_context(
            cluster(settings | SETTINGS | public, directory=room, **numbers)
        )
        broker = RawBroker(servers.lines["RABBITMQ_URL"])
        yield House(servers, started, proxy, Facts(url), store, broker, promises)
