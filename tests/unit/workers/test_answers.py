"""A parent believes a child only what it can check."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pixtools.domain.errors import CorruptImage, TimedOut
from pixtools.domain.plan import Denoise, Encode, OutputPlan, RenderPlan
from pixtools.domain.report import OutputFacts, OutputFailure, Report, SourceFacts
from pixtools.workers.answers import checked_report, error_named, read_answer
from pixtools.workers.protocol import (
    BrokenProtocol,
    Capabilities,
    Done,
    Estimate,
    Failed,
    Hello,
    Progress,
    frame,
)

PLAN = RenderPlan(
    outputs=tuple(
        OutputPlan(id=name, action="convert", encode=Encode(format="png"))
        for name in ("a", "b")
    )
)
MADE = OutputFacts(
    id="a",
    file="a.png",
    format="png",
    width=1,
    height=1,
    bytes=4,
    duration_ms=1,
)
REPORT = Report(
    source=SourceFacts(format="jpg", width=1, height=1),
    outputs=(MADE,),
    failures=(OutputFailure(id="b", code="encode_failed", detail="No."),),
)
HELLO = Hello(
    pid=1,
    capabilities=Capabilities(readable=(), writable=(), actions=(), libvips="8"),
)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(b"four")
    (tmp_path / "long.png").write_bytes(b"longer")
    (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "answer",
    [
        HELLO,
        Hello(pid=1, capabilities=replace(HELLO.capabilities, models=("fast",))),
        Estimate(id=1, bytes=2),
        Progress(id=1, fraction=0.25),
        Done(id=1, report=replace(REPORT, metadata={"iso": 400, "gps": {"x": 1.5}})),
        Failed(id=1, code="corrupt_image", detail="Broken."),
    ],
)
def test_a_well_formed_answer_is_understood(answer: Any) -> None:
    assert read_answer(frame(answer)[4:]) == answer


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_a_breach(body: bytes) -> None:
    with pytest.raises(BrokenProtocol):
        read_answer(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.sampled_from([HELLO, Estimate(id=1, bytes=2), Done(id=1, report=REPORT)]),
    st.data(),
)
def test_an_answer_with_a_strange_value_is_an_answer_or_a_breach(
    answer: Any, data: st.DataObject
) -> None:
    value = json.loads(frame(answer)[4:])
    where = value
    while True:
        key = data.draw(st.sampled_from(sorted(where)))
        if not isinstance(where[key], dict) or not where[key]:
            break
        where = where[key]
    where[key] = data.draw(JSON)
    try:
        understood = read_answer(json.dumps(value).encode())
    except BrokenProtocol:
        return
    assert isinstance(understood, type(answer))


@pytest.mark.parametrize(
    "body",
    [
        b'{"type":"progress","id":1,"fraction":NaN}',
        b'{"type":"progress","id":1,"fraction":1.01}',
        b'{"type":"progress","id":1,"fraction":-1}',
        b'{"type":"progress","id":"1","fraction":0.5}',
        b'{"type":"progress","id":true,"fraction":0.5}',
        b'{"type":"estimate","id":1,"bytes":-1}',
        b'{"type":"failed","id":1,"code":"no_such_code","detail":""}',
        b'{"type":"failed","id":1,"code":"job_not_found","detail":""}',
        b'{"type":"failed","id":1,"code":"timed_out","detail":""}',
        b'{"type":"failed","id":1,"code":"corrupt_image","detail":"\\ud800"}',
        b'{"type":"render","id":1}',
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_a_wrong_answer_is_a_breach(body: bytes) -> None:
    with pytest.raises(BrokenProtocol):
        read_answer(body)


def test_a_child_of_another_version_is_refused() -> None:
    with pytest.raises(BrokenProtocol, match="version 1 but received 2"):
        read_answer(frame(replace(HELLO, version=2))[4:])


def test_a_report_that_answers_the_plan_is_believed(scratch: Path) -> None:
    assert checked_report(Done(id=1, report=REPORT), PLAN, scratch) == REPORT


STRANGE_FILES = (
    "../a.png",
    "/etc/hostname",
    "",
    "..",
    "a\0.png",
    "nothing.png",
    "long.png",
    "link.png",
    "folder.png",
)
LIES = (
    replace(REPORT, outputs=()),
    replace(REPORT, outputs=(MADE, MADE)),
    replace(REPORT, outputs=(replace(MADE, id="c"),)),
    replace(REPORT, outputs=(replace(MADE, format="exe"),)),
    replace(REPORT, failures=()),
    replace(REPORT, failures=(OutputFailure(id="b", code="job_expired", detail=""),)),
    replace(REPORT, metadata={"iso": 100}),
    *(replace(REPORT, outputs=(replace(MADE, file=file),)) for file in STRANGE_FILES),
)


@pytest.mark.parametrize("report", LIES, ids=range(len(LIES)))
def test_a_report_that_does_not_answer_the_plan_is_a_breach(
    scratch: Path, report: Report
) -> None:
    with pytest.raises(BrokenProtocol):
        checked_report(Done(id=1, report=report), PLAN, scratch)


NOISY = replace(
    PLAN,
    outputs=tuple(replace(output, denoise=Denoise()) for output in PLAN.outputs),
)


@pytest.mark.parametrize(
    "told",
    [
        {"noise_sigma": 12.5, "model": "fast"},
        {"noise_sigma": 0.5, "skipped": "clean"},
        {"noise_sigma": None},
    ],
)
def test_what_is_told_of_noise_is_believed(scratch: Path, told: Any) -> None:
    report = replace(REPORT, outputs=(replace(MADE, **told),))
    assert checked_report(Done(id=1, report=report), NOISY, scratch) == report


@pytest.mark.parametrize("sigma", [-1.0, 256.0, float("nan"), float("inf")])
def test_noise_that_no_picture_has_is_a_breach(scratch: Path, sigma: float) -> None:
    report = replace(REPORT, outputs=(replace(MADE, noise_sigma=sigma),))
    with pytest.raises(BrokenProtocol):
        checked_report(Done(id=1, report=report), NOISY, scratch)


def test_noise_that_nobody_asked_for_is_a_breach(scratch: Path) -> None:
    for told in ({"noise_sigma": 1.0}, {"model": "fast"}, {"skipped": "clean"}):
        report = replace(REPORT, outputs=(replace(MADE, **told),))
        with pytest.raises(BrokenProtocol, match="Nobody asked"):
            checked_report(Done(id=1, report=report), PLAN, scratch)


def test_metadata_that_is_no_json_is_a_breach(scratch: Path) -> None:
    report = replace(REPORT, metadata={"iso": float("nan")})
    with pytest.raises(BrokenProtocol):
        checked_report(Done(id=1, report=report), replace(PLAN, metadata=True), scratch)


def test_an_engines_error_keeps_its_class_and_a_bounded_sentence() -> None:
    error = error_named("corrupt_image", "x" * 100_000)
    assert isinstance(error, CorruptImage)
    assert len(error.detail) == 2000


def test_only_the_parent_says_that_time_is_up() -> None:
    with pytest.raises(BrokenProtocol):
        error_named(TimedOut.code, "")
