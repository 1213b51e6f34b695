"""In which order sizes are made, and from which larger size."""

from __future__ import annotations

from hypothesis import given, strategies as st

from pixtools.domain.ladder import ladder
from pixtools.domain.layout import Size

SIZES = st.tuples(st.integers(1, 4000), st.integers(1, 4000))


def test_the_gallery_climbs_down_step_by_step() -> None:
    rungs = ladder([(512, 384), (2048, 1536), (267, 200), (1024, 768)])
    assert [rung.size for rung in rungs] == [
        (2048, 1536),
        (1024, 768),
        (512, 384),
        (267, 200),
    ]
    assert [rung.parent for rung in rungs] == [None, 0, 1, 2]
    assert [rung.children for rung in rungs] == [1, 1, 1, 0]


def test_nearly_equal_sizes_both_come_from_the_top() -> None:
    """Resampling 1024 to 1000 would blur what the top still has."""
    rungs = ladder([(2048, 1536), (1024, 768), (1000, 750)])
    assert [rung.parent for rung in rungs] == [None, 0, 0]


def test_equal_sizes_are_made_once() -> None:
    assert len(ladder([(200, 150), (200, 150)])) == 1


def test_a_stretched_size_still_has_pixels_above_it() -> None:
    rungs = ladder([(300, 20), (30, 200)])
    assert rungs[0].size == (300, 200)
    assert {rung.parent for rung in rungs[1:]} == {0}


@given(st.lists(SIZES, min_size=1, max_size=8))
def test_every_size_comes_from_one_at_least_as_large(wanted: list[Size]) -> None:
    rungs = ladder(wanted)
    assert {rung.size for rung in rungs} >= set(wanted)
    for at, rung in enumerate(rungs[1:], 1):
        assert rung.parent is not None
        assert rung.parent < at
        parent = rungs[rung.parent].size
        assert parent[0] >= rung.size[0]
        assert parent[1] >= rung.size[1]
    assert sum(rung.children for rung in rungs) == len(rungs) - 1
