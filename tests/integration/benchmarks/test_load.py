"""`make loadtest` in small, against an embedded service."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from benchmarks.load import __main__ as load
from benchmarks.load.scenarios import Scale
from benchmarks.sources import source

TINY = Scale(
    pillow_repeats=1,
    jobs_of_two=2,
    jobs_of_light=4,
    baseline=1,
    flood=0.3,
    rush=0.3,
    storm_keys=2,
    starvation=1,
    heavies=1,
    patience=30,
)


@pytest.mark.timeout(240)
def test_the_load_test_drives_a_service_and_says_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Small photos: here the numbers don't matter, but that there are all of them."""
    small = source("small", tmp_path / "sources")
    for name in ("2mp", "12mp"):
        shutil.copyfile(small, small.with_stem(name))
    report = tmp_path / "reports" / "load.md"
    words = ["--embedded", "--work", str(tmp_path), "--report", str(report)]
    assert load.main(words, TINY) == 0
    said = capsys.readouterr().out
    for kept in ("5xx beside 503", "did not succeed", "second jobs"):
        (line,) = [line for line in said.splitlines() if kept in line]
        assert line.startswith("met"), line
    text = report.read_text()
    for name in ("baseline", "spike", "rush", "retry-storm", "starvation-mix"):
        drawn = report.parent / "img" / f"load-{name}.svg"
        assert drawn.exists() == (f"img/{drawn.name}" in text)
    assert "| storm | " in text


def test_only_this_machine_is_driven(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load.main(["--server", "https://example.org"])
    assert "Expected an address of this machine" in capsys.readouterr().err
