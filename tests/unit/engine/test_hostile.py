"""Files that harm, lie or pretend: each gets one of its right answers, quickly."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.plans import output, plan

from pixtools.domain.errors import OutputTooLarge, PixtoolsError
from pixtools.domain.plan import RenderPlan
from pixtools.engine import render
from pixtools.testing.images_hostile import OK, hostile_files

FILES = hostile_files()
PLANS = {
    "streamed": plan(output("jpg", width=64, height=64)),
    "in-memory": plan(
        output("png", id="full"),
        output("webp", id="small", animated=True, width=64, height=64),
    ),
}


@pytest.mark.parametrize("way", PLANS)
@pytest.mark.parametrize("key", FILES)
def test_a_hostile_file_gets_a_right_answer(
    key: str, way: str, hostile_paths: dict[str, Path], tmp_path: Path
) -> None:
    answer, detail = answered(hostile_paths[key], PLANS[way], tmp_path)
    assert answer in FILES[key].answers
    assert str(hostile_paths[key].parent) not in detail


def answered(source: Path, asked: RenderPlan, scratch: Path) -> tuple[str, str]:
    """Render it; gives the error's code and sentence. Nothing half-made is left."""
    try:
        report = render(source, asked, scratch)
    except PixtoolsError as error:
        assert names(scratch) == set()  # of the folder, not the error
        return error.code, error.detail
    assert {f.code for f in report.failures} <= {OutputTooLarge.code}
    assert names(scratch) == {facts.file for facts in report.outputs}
    return OK, ""


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}
