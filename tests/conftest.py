"""What every test may lean on: no silent skips in CI, no settings of this machine."""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Sources, hostile files and photographs, made once per session; servers, if asked for.
pytest_plugins = ["pixtools.testing.fixtures", "pixtools.testing.services"]
# What tests share shows what differs when it fails, as the tests themselves do.
pytest.register_assert_rewrite(
    *("tests.acceptance", "tests.chaos", "tests.contract", "tests.integration"),
    "pixtools.testing.port_suites",
)

ROOT = Path(__file__).resolve().parent.parent

# A shared, busy machine says nothing about how fast one example is.
settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


def pytest_configure() -> None:
    """Forget the settings of the shell that started the tests."""
    ours = _settings()
    for name in list(os.environ):
        if name in ours or name.startswith(("AWS_", "OTEL_")):
            del os.environ[name]


def _settings() -> set[str]:
    """Return every variable that PixTools reads, as its example file lists them."""
    example = ROOT / ".env.example"
    text = example.read_text(encoding="utf-8") if example.exists() else ""
    return set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, re.MULTILINE))


@pytest.fixture(autouse=True)
def logs_as_found() -> Iterator[None]:
    """What a command that ran within a test said about logs ends with that test."""
    root = logging.getLogger()
    found, level = root.handlers[:], root.level
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        ours = not type(handler).__module__.startswith("_pytest")
        if ours and handler not in found:
            root.removeHandler(handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI is set, a skipped test is a failed one."""
    report = yield
    if _is_forbidden_skip(report):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} may not be skipped in CI: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Likewise for a skipped module."""
    report = yield
    if _is_forbidden_skip(report):
        report.outcome = "failed"
        report.longrepr = (
            f"{collector.nodeid} may not be skipped in CI: {report.longrepr}"
        )
    return report


def _is_forbidden_skip(report: pytest.TestReport | pytest.CollectReport) -> bool:
    return report.skipped and "CI" in os.environ and not hasattr(report, "wasxfail")


@pytest.fixture
def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def unmeasured() -> dict[str, str]:
    """The environment for a process whose memory or time is asserted.

    Coverage would follow every other child and weigh about ten megabytes there.
    """
    watched = ("COVERAGE_", "COV_CORE_", "PYTHON")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(watched)}
    where = os.environ.get("PYTHONPATH")  # another checkout than the installed one
    return {**kept, "PYTHONPATH": where} if where else kept


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser that `make test` installs."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    pytest.skip("The page is NOT tested: there is no Chromium on this machine.")
