"""`make bench` in small: the suites run, and say what they could not measure."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from benchmarks import engine, service
from benchmarks.jobs import QUICK
from benchmarks.measure import measure
from benchmarks.peers import CONTENDERS, OURS, Contender
from benchmarks.price import __main__ as price
from benchmarks.price.where import STEPS


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a quick run."""
    folder = tmp_path_factory.mktemp("bench")
    path = folder / "reports" / "engine.md"
    engine.main(["--quick", "--work", str(folder), "--report", str(path)])
    return path.read_text()


def test_the_engine_suite_measures_us(report: str) -> None:
    ours = re.search(r"^\| PixTools \|(( [\d.]+ \|){7})$", report, re.MULTILINE)
    assert ours
    assert all(float(cell) > 0 for cell in ours[1].split("|")[:-1])


def test_what_was_not_measured_is_not_claimed(report: str) -> None:
    assert report.count("**not measured**") == 7


def test_every_contender_is_measured_or_says_why_not(report: str) -> None:
    for contender in CONTENDERS:
        if contender.takes(QUICK[0]):
            row = f"| {contender.title} |"
            excuse = f"{contender.title}: not measured, because "
            assert row in report or excuse in report


def test_a_contender_that_breaks_is_no_result(tmp_path: Path) -> None:
    words = "raise ValueError('out of paint')"
    broken = Contender(name=OURS, title="Us", command=(sys.executable, "-c", words))
    (result,) = measure(QUICK[0], [broken], tmp_path, lambda _: None)
    assert result.shifts == []
    assert result.trouble == "it failed: ValueError: out of paint"


def test_a_contender_that_is_absent_is_not_started(tmp_path: Path) -> None:
    absent = Contender(
        name="x", title="X", command=("/no/such/program",), missing=lambda: "it is not"
    )
    (result,) = measure(QUICK[0], [absent], tmp_path, lambda _: None)
    assert result.trouble == "it is not"


def test_an_unknown_job_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Expected one of smoke for --job"):
        engine.main(["--quick", "--job", "juggling", "--work", str(tmp_path)])


def test_the_service_suite_measures_jobs_and_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "service.md"
    service.main(["--quick", "--work", str(tmp_path), "--report", str(report)])
    said = capsys.readouterr().out
    assert "not measured" not in said
    assert len(re.findall(r"^(met|MISSED) ", said, re.MULTILINE)) == 3
    assert "| service |" in report.read_text()


def test_the_price_suite_measures_service_and_bare_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "price.md"
    price.main(["--quick", "--work", str(tmp_path), "--report", str(report)])
    said = capsys.readouterr().out
    assert len(re.findall(r"^(met|MISSED) ", said, re.MULTILINE)) == 2
    steps = dict(
        re.findall(r"^\| (.+?) \| (-?[\d.]+) % \|$", report.read_text(), re.MULTILINE)
    )
    # A step that was renamed in the house, and not in the table, would cost nothing.
    assert {
        name for name in (step.name for step in STEPS) if not float(steps[name])
    } <= {"telling progress, staying claimed"}
