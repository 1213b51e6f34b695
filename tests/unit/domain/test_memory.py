"""What a photo's format and size alone say of the memory that it will take."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from pixtools.domain.errors import OutputError
from pixtools.domain.formats import FORMATS
from pixtools.domain.limits import MIB, Limits
from pixtools.domain.memory import estimate, least, never_fits
from pixtools.domain.plan import Box, Denoise, Encode, Mark, OutputPlan
from pixtools.domain.report import SourceFacts
from pixtools.domain.task import Task, task_for

SIDES = st.integers(1, 9000)
FACTS = st.builds(
    SourceFacts,
    format=st.sampled_from(sorted(FORMATS)),
    width=SIDES,
    height=SIDES,
    pages=st.integers(1, 40),
    orientation=st.integers(1, 8),
    has_alpha=st.booleans(),
    color_space=st.sampled_from(["srgb", "cmyk", "b-w"]),
    bits=st.sampled_from([1, 8, 16]),
    interlaced=st.booleans(),
)
BOXES = st.builds(
    Box,
    width=SIDES,
    height=SIDES,
    fit=st.sampled_from(["inside", "cover", "contain", "fill", "outside"]),
    gravity=st.sampled_from(["centre", "attention"]),
    enlarge=st.booleans(),
)
ENCODES = st.builds(
    Encode,
    format=st.sampled_from([name for name in FORMATS if FORMATS[name].writable]),
    lossless=st.booleans(),
    max_bytes=st.sampled_from([None, 9000]),
    background=st.sampled_from([(255, 255, 255, 255), (0, 0, 0, 0)]),
    animated=st.booleans(),
)
OUTPUTS = st.builds(
    OutputPlan,
    id=st.just("out"),
    action=st.just("resize"),
    box=BOXES | st.none(),
    mark=st.sampled_from([None, Mark(text="mine")]),
    encode=ENCODES,
    denoise=st.sampled_from([None, Denoise()]),
)


def laid_out(facts: SourceFacts, outputs: list[OutputPlan]) -> list[Task]:
    """The outputs that can be made, as the engine takes them."""
    tasks = []
    for output in outputs:
        with suppress(OutputError):
            tasks.append(task_for(output, facts, Limits()))
    return tasks


@given(FACTS, st.lists(OUTPUTS, max_size=5), st.booleans(), st.booleans())
def test_nothing_is_refused_early_that_a_worker_would_take(
    facts: SourceFacts, outputs: list[OutputPlan], plain: bool, shallow: bool
) -> None:
    """What is known early says no more than what is known of the whole header."""
    width, height = facts.upright_size
    known = SourceFacts(
        format=facts.format,
        width=width,
        height=height,
        has_alpha=facts.has_alpha and not plain,
        interlaced=facts.interlaced and not plain,
        bits=8 if shallow else facts.bits,
    )
    early = least(known, outputs, Limits())
    assert early <= estimate(facts, laid_out(facts, outputs))


@pytest.mark.parametrize("format", ["jpg", "png", "avif", "gif", "tiff", "webp"])
def test_of_a_photo_with_one_output_all_is_known_early(format: str) -> None:
    facts = SourceFacts(format=format, width=6000, height=4000, interlaced=True)
    output = OutputPlan(
        id="web", action="resize", encode=Encode(format="jpg"), box=Box(width=800)
    )
    tasks = [task_for(output, facts, Limits())]
    early = least(facts, [output], Limits())
    assert early > 34 * MIB
    assert early >= 0.8 * estimate(facts, tasks)


def test_only_what_never_fits_is_said_not_to() -> None:
    facts = SourceFacts(format="gif", width=3000, height=2000)
    output = OutputPlan(id="web", action="convert", encode=Encode(format="jpg"))
    needed = least(facts, [output], Limits())
    fits = Limits(memory_budget_bytes=needed)
    assert never_fits(facts, [output], fits) is None
    tight = Limits(memory_budget_bytes=needed - 1)
    assert never_fits(facts, [output], tight) == needed
    assert never_fits(facts, [], tight) is None
