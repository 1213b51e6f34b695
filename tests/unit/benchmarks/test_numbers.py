"""Numbers of a benchmark: what they are taken from, and what they are held against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.jobs import FOUR, JOBS, Job, Wanted
from benchmarks.measure import Result
from benchmarks.peers import CONTENDERS, OURS
from benchmarks.report import table
from benchmarks.score import Judge
from benchmarks.stopwatch import Shift, clock, memory
from benchmarks.verdicts import Verdict, ratio, verdicts
from PIL import Image

BY_NAME = {contender.name: contender for contender in CONTENDERS}


def result(name: str, *shifts: list[float], peak: float = 50.0) -> Result:
    taken = [
        Shift(cpu_ms=cpu, wall_ms=cpu, peak_mb=peak, after_mb=20.0, files={})
        for cpu in shifts
    ]
    return Result(BY_NAME[name], taken)


def test_the_first_time_of_a_process_is_cold_and_counted_apart() -> None:
    measured = result(OURS, [90.0, 20.0, 30.0], [110.0, 10.0, 40.0])
    assert measured.cold_ms == 100.0
    assert measured.cpu_ms == 25.0
    assert measured.best_ms == 10.0


def test_a_ratio_compares_what_ran_side_by_side() -> None:
    """Half the rounds ran under a load that doubled everyone's time."""
    ours = result(OURS, [10.0], [20.0], [10.0])
    theirs = result("sharp", [20.0], [40.0], [20.0])
    assert ratio(ours, theirs) == 0.5


def test_a_single_time_stands_for_itself() -> None:
    assert result(OURS, [90.0]).cpu_ms == 90.0


@pytest.mark.parametrize(
    ("ours", "theirs", "word"), [(50.0, 100.0, "met"), (51.0, 100.0, "MISSED")]
)
def test_a_bound_that_is_not_kept_is_missed(
    ours: float, theirs: float, word: str
) -> None:
    four = {OURS: result(OURS, [ours]), "sharp": result("sharp", [theirs])}
    assert verdicts({FOUR: four})[0].word == word


def test_without_a_peer_nothing_is_claimed() -> None:
    four = {OURS: result(OURS, [1.0])}
    assert verdicts({FOUR: four})[0].word == "not measured"
    assert "–" in verdicts({FOUR: four})[0].line


def test_a_strict_bound_is_missed_where_it_is_reached() -> None:
    reached = Verdict(what="RSS", bound=35, unit="MB", value=35.0, strict=True)
    assert reached.word == "MISSED"


def test_the_clock_counts_what_the_work_spends() -> None:
    def work() -> dict[str, str]:
        return {"sum": str(sum(range(2_000_000)))}

    shift = clock(work, 3)
    assert len(shift["cpu_ms"]) == len(shift["wall_ms"]) == 3
    assert min(shift["cpu_ms"]) > 1
    assert shift["files"].keys() == {"sum"}


def test_memory_is_never_larger_now_than_at_its_height() -> None:
    peak, now = memory("self")
    assert peak >= now > 1


def test_a_lossless_copy_scores_100(tmp_path: Path) -> None:
    judge, path = one_judge(tmp_path, side=None)
    assert judge.score("a", path) == 100.0


def test_a_file_of_another_size_has_no_score(tmp_path: Path) -> None:
    judge, path = one_judge(tmp_path, side=16)
    assert judge.score("a", path) is None


def one_judge(folder: Path, side: int | None) -> tuple[Judge, Path]:
    pixels = np.arange(32 * 24 * 3, dtype="u1").reshape(24, 32, 3)
    path = folder / "picture.png"
    Image.fromarray(pixels).save(path)
    wanted = (Wanted(id="a", format="png", side=side),)
    job = Job(name="j", title="J", source="-", wanted=wanted)
    return Judge(job, path, folder / "scratch"), path


def test_jobs_and_contenders_have_names_of_their_own() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)
    assert len(BY_NAME) == len(CONTENDERS)


def test_a_table_has_a_cell_for_every_column() -> None:
    lines = table(["a", "b"], [["1", "2"], ["3", "4"]]).splitlines()
    assert [line.count("|") for line in lines] == [3, 3, 3, 3]
