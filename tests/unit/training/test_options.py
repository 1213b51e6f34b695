"""What a person says, and what follows from it."""

from __future__ import annotations

from pathlib import Path

import pytest
from training.options import GRAPHICS, PROCESSOR, parsed

from pixtools.engine.denoise.variants import FAST

SAID = ["--variant", "fast", "--minutes", "5", "--out", "somewhere"]


def test_what_is_said_is_heard() -> None:
    options = parsed([*SAID, "--seed", "7", "--leave-after", "9.5"])
    assert options.variant == FAST
    assert options.minutes == 5.0
    assert options.leave_after == 9.5
    assert options.out == Path("somewhere")
    assert options.seed == 7
    assert options.resume is None


def test_sizes_follow_from_the_device() -> None:
    assert parsed([*SAID, "--device", "cpu"]).sizes == PROCESSOR
    assert parsed([*SAID, "--device", "cuda:0"]).sizes == GRAPHICS


def test_a_size_that_is_said_counts() -> None:
    sizes = parsed([*SAID, "--device", "cuda", "--batch", "64"]).sizes
    assert sizes.batch == 64
    assert sizes.patch == GRAPHICS.patch


def test_only_a_gpu_compiles_unless_it_may_not() -> None:
    assert not parsed([*SAID, "--device", "cpu"]).compile
    assert parsed([*SAID, "--device", "cuda"]).compile
    assert not parsed([*SAID, "--device", "cuda", "--eager"]).compile


def test_a_patch_that_jpeg_s_blocks_do_not_fill_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parsed([*SAID, "--patch", "50"])
    said = capsys.readouterr().err
    assert "Expected a multiple of 16 for --patch but received 50." in said
