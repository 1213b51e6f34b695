"""Numbers of the load test: what counts as an answer, as waiting, as a promise kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from benchmarks.load import seed
from benchmarks.load.answers import (
    ACCEPTED,
    BROKEN,
    BUSY,
    IN_FLIGHT,
    REFUSED,
    REPLAYED,
    TRANSPORT,
    Answer,
    Driver,
    kind_of,
)
from benchmarks.load.figures import Fact, Run, depths, least_waiting, percentile
from benchmarks.load.floor import Floor
from benchmarks.load.gates import gates, saturated
from benchmarks.load.orders import HEAVY, LIGHT, TWO, Drive, Stream
from benchmarks.load.report import document
from benchmarks.load.scenarios import ARRIVALS, LIGHTS, Findings, Paired

DRIVER = Driver(cpu=1, wall=10, late_p95=0.001, late_most=0.01)


def answer(
    job: str | None = "a",
    due: float = 100.0,
    kind: str = ACCEPTED,
    seconds: float = 0.02,
    key: str | None = None,
    stream: str = "clients",
) -> Answer:
    return Answer(
        stream=stream,
        due=due,
        seconds=seconds,
        kind=kind,
        status=202,
        job=job,
        key=key,
    )


def fact(
    job: str = "a",
    created: float = 100.0,
    started: float | None = 101.0,
    finished: float | None = 102.0,
    status: str = "succeeded",
) -> Fact:
    return Fact(
        job=job, status=status, created=created, started=started, finished=finished
    )


def run(*answers: Answer, facts: tuple[Fact, ...] = (fact(),)) -> Run:
    return Run(
        answers=answers or (answer(),),
        facts={one.job: one for one in facts},
        began=100.0,
        ended=110.0,
        driver=DRIVER,
        cpu={"api": 0.02, "pixels": 0.18},
    )


def findings(**others: Run) -> Findings:
    runs = dict.fromkeys(("spike", "rush", "storm", "calm"), run())
    backlog = (fact("z", started=120.0, finished=121.0),)
    runs["baseline"] = run(answer(stream=ARRIVALS), facts=(fact(), *backlog))
    runs["starvation"] = run(answer(stream=LIGHTS))
    pair = Paired(run=run(), floor=Floor(cpu_seconds=2.0, jobs_per_second=1.0))
    return Findings(two=pair, light=pair, puts=(), **{**runs, **others})


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        (202, {}, ACCEPTED),
        (202, {"idempotent-replayed": "true"}, REPLAYED),
        (503, {"retry-after": "5"}, BUSY),
        (429, {"retry-after": "5"}, BUSY),
        (409, {"retry-after": "1"}, IN_FLIGHT),
        (503, {}, BROKEN),
        (500, {"retry-after": "5"}, BROKEN),
        (429, {}, REFUSED),
        (422, {}, REFUSED),
    ],
)
def test_only_what_says_when_to_come_again_is_an_answer(
    status: int, headers: dict[str, str], kind: str
) -> None:
    assert kind_of(status, headers) == kind


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([1, 2, 3, 4], 50) == 2
    assert percentile([1, 2, 3, 4], 95) == 4
    assert percentile([], 95) is None


def test_arrivals_are_the_same_in_each_run_and_as_many_as_asked_for() -> None:
    """Light jobs alone and beside heavy ones come at the same moments."""
    stream = Stream(name="a", wish=LIGHT, model="open", seconds=100, rate=5, start=2)
    moments = list(stream.due())
    assert moments == list(stream.due())
    assert 400 < len(moments) < 600
    assert min(moments) > 2
    assert max(moments) <= 102


def test_paced_arrivals_come_by_the_clock() -> None:
    stream = Stream(name="a", wish=LIGHT, model="paced", seconds=1, rate=4, start=1)
    assert list(stream.due()) == [1, 1.25, 1.5, 1.75, 2]


def test_an_order_is_read_as_it_was_written() -> None:
    streams = [
        Stream(name=wish.photo, wish=wish, model="closed", seconds=1)
        for wish in (LIGHT, TWO, HEAVY)
    ]
    drive = Drive(url="http://127.0.0.1:1", photos={"2mp": "a.jpg"}, streams=streams)
    assert Drive.read(drive.written()) == drive


def test_depths_tell_who_waits_and_who_is_at_work() -> None:
    facts = (
        fact("a", 100, 101, 103),
        fact("b", 100.5, 103, 104),
        fact("c", 102, None, 102.5, "canceled"),
    )
    assert depths(facts, 100) == [
        (0.0, 0, 0),
        (0.0, 1, 0),
        (0.5, 2, 0),
        (1, 1, 1),
        (2, 2, 1),
        (2.5, 1, 1),
        (3, 0, 2),
        (3, 0, 1),
        (4, 0, 0),
    ]


def test_the_least_that_waited_includes_those_who_waited_before() -> None:
    facts = (fact("a", 100, 105, 106), fact("b", 101, 109, 110))
    assert least_waiting(facts, 102, 104) == 2
    assert least_waiting(facts, 102, 107) == 1
    assert least_waiting(facts, 102, 111) == 0


def test_a_job_that_vanished_or_failed_is_lost() -> None:
    answers = [answer("a"), answer("b"), answer("c"), answer("d")]
    facts = (fact("a"), fact("b", status="failed"), fact("c", status="canceled"))
    assert run(*answers, facts=facts).lost == 2


def test_a_second_job_of_a_key_is_a_duplicate_though_no_answer_names_it() -> None:
    answers = [
        answer("a", key="1"),
        answer("a", key="1", kind=REPLAYED),
        answer("b", key="2"),
        answer(None, key="2", kind=TRANSPORT),
    ]
    assert run(*answers, facts=(fact("a"), fact("b"))).duplicates == 0
    assert run(*answers, facts=(fact("a"), fact("b"), fact("c"))).duplicates == 1


def test_every_promise_is_measured() -> None:
    assert [one.word for one in gates(findings()) if one.value is None] == []


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        ({"rush": run(answer(kind=BROKEN))}, "5xx"),
        ({"rush": run(answer(kind=TRANSPORT))}, "transport errors"),
        ({"spike": run(facts=(fact(status="failed"),))}, "did not succeed"),
        ({"storm": run(answer(key="1"), facts=(fact(), fact("b")))}, "second jobs"),
        ({"starvation": run(answer(stream=LIGHTS), facts=(fact(finished=104.0),))},
         "light jobs beside heavy"),
        ({"spike": run(answer(seconds=9.9))}, "of the spike ÷ the seed"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_missed(broken: dict[str, Run], promise: str) -> None:
    whole = {one.what: one.word for one in gates(findings())}
    found = {one.what: one.word for one in gates(findings(**broken))}
    changed = [what for what in found if found[what] != whole[what]]
    assert [found[what] for what in changed if promise in what] == ["MISSED"]


def test_a_baseline_with_resting_workers_is_none() -> None:
    """A fast answer from a service with nothing to do is not what was promised."""
    calm = run(answer(stream=ARRIVALS), facts=(fact(started=100.0),))
    assert saturated(calm) == 0
    verdicts = {one.what: one for one in gates(findings(baseline=calm))}
    (baseline,) = [one for what, one in verdicts.items() if "baseline" in what]
    assert baseline.word == "not measured"


def test_given_up_jobs_count_as_slow_not_as_absent() -> None:
    """Starved jobs that were canceled in the end do not make a fine percentile."""
    starved = run(
        answer(stream=LIGHTS), facts=(fact(started=None, finished=400, status="canceled"),)
    )  # fmt: skip
    (gate,) = [
        one for one in gates(findings(starvation=starved)) if "light" in one.what
    ]
    assert gate.word == "MISSED"


def test_the_seed_is_as_much_slower_as_bare_pillow_is() -> None:
    half = Floor(cpu_seconds=2.0, jobs_per_second=seed.FLOOD.pillow_per_second / 2)
    now = seed.FLOOD.now(half)
    assert now.jobs_per_second == pytest.approx(seed.FLOOD.jobs_per_second / 2)
    assert now.submit_p95 == pytest.approx(seed.FLOOD.submit_p95 * 2)
    assert seed.jobs_per_cpu_second(half) == pytest.approx(0.77 / 2)


def test_the_report_shows_every_run_and_what_went_wrong() -> None:
    wrong = replace(answer(kind=BROKEN), status=500, note="oh dear")
    text = document(findings(rush=run(wrong)), {"date": "today"}, {"rush": "img/r.svg"})
    for heading in ("Baseline", "Spike", "Rush", "Retry storm", "Starvation mix"):
        assert f"\n## {heading}\n" in text
    assert "1 × server error 500 oh dear" in text
    assert "![rush](img/r.svg)" in text
    assert "{" not in text


def test_the_report_tells_what_the_store_alone_takes() -> None:
    found = replace(findings(), puts=(100.0, 110.0, 390.0))
    assert "wait 110 ms at the median and 390 ms at p95" in document(found, {}, {})
    assert "straight into the same store" not in document(findings(), {}, {})
