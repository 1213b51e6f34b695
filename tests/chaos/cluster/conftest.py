"""A cluster that may be broken in every way, and a table of what came of it."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

import pytest
from tests.chaos.cluster.house import House, open_house
from tests.chaos.cluster.photos import take_photos
from tests.chaos.cluster.promises import Promises
from tests.chaos.cluster.scenarios import ALONE, TOGETHER
from tests.chaos.cluster.servers import Servers, own_servers
from tests.chaos.cluster.table import Row, report, table

from pixtools.testing.services import Services

SEED: Final = 1
ROWS: Final = pytest.StashKey[list[Row]]()
LINES: Final = "test_crash_lines.py::"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known where this directory is named on the command line."""
    parser.addoption("--chaos-report", default=None, help="Write the table there.")
    parser.addoption("--chaos-seed", type=int, default=SEED, help="When to strike.")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the table, and write it where it was asked for."""
    names = [scenario.name for scenario in (*ALONE, *TOGETHER)]
    rows: list[Row] = config.stash.get(ROWS, [])
    if not rows:
        return
    rows.sort(key=lambda row: names.index(row.scenario))
    terminalreporter.section(f"chaos, seed {_seed(config)}")
    terminalreporter.write_line(table(rows))
    path = config.getoption("--chaos-report", None)
    if path:
        lines = _crash_lines(terminalreporter)
        seed, machine = _seed(config), platform.platform()
        Path(path).write_text(report(rows, lines, seed, machine))


def _crash_lines(told: pytest.TerminalReporter) -> dict[str, str]:
    """What the tests of the crash table promise, and whether it held."""
    return {
        _title(report.nodeid): outcome
        for outcome in ("failed", "passed")
        for report in told.stats.get(outcome, ())
        if LINES in report.nodeid
    }


def _title(nodeid: str) -> str:
    """As a sentence: `TestTheApiDies::test_before_its_commit…`."""
    *parts, test = nodeid.partition(LINES)[2].split("::")
    sentence = test.removeprefix("test_").replace("_", " ")
    group = "".join(f" {c.lower()}" if c.isupper() else c for c in "".join(parts))
    return f"{group.removeprefix(' test').strip()}: {sentence}".removeprefix(": ")


def _seed(config: pytest.Config) -> int:
    seed: int = config.getoption("--chaos-seed", SEED)
    return seed


@pytest.fixture(scope="session")
def promises(tmp_path_factory: pytest.TempPathFactory) -> Promises:
    """What the engine makes of every photo that clients send."""
    room = tmp_path_factory.mktemp("chaos")
    (room / "photos").mkdir()
    return Promises(take_photos(room / "photos"), room / "made")


@pytest.fixture(scope="session")
def own(services: Services) -> Iterator[Servers]:
    """PostgreSQL, RabbitMQ and Redis that nobody else uses."""
    with own_servers(services.checkout, services.door) as servers:
        yield servers


Build = Callable[..., AbstractContextManager[House]]


@pytest.fixture(scope="session")
def build(
    services: Services,
    own: Servers,
    promises: Promises,
    tmp_path_factory: pytest.TempPathFactory,
) -> Build:
    """Start a cluster with so many of each process, and doors behind all of it."""

    def opened(**numbers: int) -> AbstractContextManager[House]:
        lines = services.lines("AWS_ENDPOINT_URL")
        room = tmp_path_factory.mktemp("house")
        return open_house(own, lines, promises, room, **numbers)

    return opened


@pytest.fixture
def stands(request: pytest.FixtureRequest) -> Callable[[Row], None]:
    """Note a scenario's row, and fail if a promise was broken."""

    def judge(row: Row) -> None:
        request.config.stash.setdefault(ROWS, []).append(row)
        assert row.findings.all == [], f"seed {_seed(request.config)}"

    return judge


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What decides when to strike, and at whom."""
    return _seed(request.config)
