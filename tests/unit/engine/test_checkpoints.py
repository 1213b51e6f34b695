"""A file of weights is read for its numbers, whatever else it says."""

from __future__ import annotations

import pickle as pickling
import struct
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from safetensors.numpy import save
from tests.checkpoints import (
    MAGIC,
    Arrays,
    checkpoint,
    nested,
    number,
    numbers,
    old,
    pickle,
    raws,
    table,
    tensor,
    text,
    zipped,
)

from pixtools.domain.errors import WeightsUnusable
from pixtools.engine.denoise.checkpoints import LARGEST, groups

NUMBERS = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
SMALL: Arrays = {"a.weight": NUMBERS, "a.bias": np.array([1.5, -2.0], np.float32)}


def read(tmp_path: Path, raw: bytes, name: str = "w.pth") -> dict[str, dict[str, Any]]:
    """All numbers of a file, by group and name."""
    path = tmp_path / name
    path.write_bytes(raw)
    return {
        place: {name: weight.read() for name, weight in group.items()}
        for place, group in groups(path).items()
    }


def refusal(tmp_path: Path, raw: bytes) -> str:
    with pytest.raises(WeightsUnusable) as refused:
        read(tmp_path, raw)
    return refused.value.detail


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(checkpoint(SMALL), id="since PyTorch 1.6"),
        pytest.param(old(pickle(table(SMALL)), raws(SMALL)), id="before PyTorch 1.6"),
        pytest.param(save(dict(SMALL)), id="safetensors"),
    ],
)
def test_every_layout_holds_the_same_numbers(tmp_path: Path, raw: bytes) -> None:
    found = read(tmp_path, raw)[""]
    assert found.keys() == SMALL.keys()
    for name, array in SMALL.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == np.float32


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_widths_become_float32(tmp_path: Path, kind: type) -> None:
    arrays: Arrays = {name: array.astype(kind) for name, array in SMALL.items()}
    found = read(tmp_path, checkpoint(arrays))[""]
    np.testing.assert_array_equal(found["a.weight"], NUMBERS)


def test_numbers_of_the_upper_half_of_a_float_are_understood(tmp_path: Path) -> None:
    """As bfloat16 is written."""
    halves = (NUMBERS.view(np.uint32) >> 16).astype(np.uint16)
    found = read(tmp_path, checkpoint({"w": halves}))[""]
    np.testing.assert_array_equal(found["w"], NUMBERS)


def test_a_tensor_may_be_a_cut_through_its_storage(tmp_path: Path) -> None:
    row = np.arange(12, dtype=np.float32)
    cut = tensor(row, "0", shape=(3, 2), steps=(1, 3), offset=2)
    found = read(tmp_path, zipped(pickle(nested(g=nested(w=cut))), raws({"w": row})))
    np.testing.assert_array_equal(found["g"]["w"], [[2, 5], [3, 6], [4, 7]])


def test_tables_below_the_first_are_found(tmp_path: Path) -> None:
    tree = nested(state_dict=table(SMALL), epoch=number(3))
    found = read(tmp_path, zipped(pickle(tree), raws(SMALL)))
    assert found["state_dict"].keys() == SMALL.keys()
    assert found[""] == {}


class Hostile:
    """What Python's own pickles would run when they are read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"open({str(self.mark)!r}, 'w')",)


def hostile(mark: Path) -> dict[str, bytes]:
    command = text(f"touch {mark}")
    called = b"(" + command + b"tR"
    named = text("posix") + text("system")
    return {
        "a global": pickle(b"cposix\nsystem\n" + called),
        "a global by stack": b"\x80\x04" + named + b"\x93" + called + b".",
        "an instance": pickle(b"(" + command + b"iposix\nsystem\n"),
        "an object": pickle(b"(cposix\nsystem\n" + command + b"o"),
        "a new object": pickle(b"cposix\nsystem\n(" + command + b"t\x81"),
        "an extension": pickle(b"\x82\x01" + called),
        "builtins": pickle(b"cbuiltins\neval\n" + called),
        "torch's own way to import": pickle(b"ctorch.hub\nload\n" + called),
        "an attribute of a name we know": pickle(
            b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n" + called
        ),
        "state for a name": pickle(
            b"ccollections\nOrderedDict\n}" + text("__code__") + named + b"sbN"
        ),
        "as a weight": pickle(nested(w=b"cposix\nsystem\n" + called)),
        **{
            f"of Python, protocol {version}": pickling.dumps(Hostile(mark), version)
            for version in range(6)
        },
    }


@pytest.mark.parametrize("how", hostile(Path("x")))
@pytest.mark.parametrize("container", ["zip", "old", "bare"])
def test_nothing_that_a_file_names_is_ever_run(
    tmp_path: Path, how: str, container: str
) -> None:
    mark = tmp_path / "it ran"
    tree = hostile(mark)[how]
    raw = {"zip": zipped(tree, {}), "old": old(tree, {}), "bare": tree}[container]
    refusal(tmp_path, raw)
    assert not mark.exists()


def test_code_is_called_by_its_name(tmp_path: Path) -> None:
    tree = hostile(tmp_path / "mark")["a global"]
    said = refusal(tmp_path, zipped(tree, {}))
    assert "posix.system" in said
    assert "state_dict()" in said


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """PyTorch compresses nothing, so what is compressed is none of its files."""
    packed = zipped(pickle(table(SMALL)), raws(SMALL), compression=zipfile.ZIP_DEFLATED)
    assert "compressed" in refusal(tmp_path, packed)


def test_a_file_that_no_weights_fill_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(WeightsUnusable, match="64 MiB"):
        groups(path)


@pytest.mark.parametrize(
    ("shape", "steps", "offset"),
    [
        ((24,), (1,), 1),
        ((25,), (1,), 0),
        ((2, 12), (13, 1), 0),
        ((2**31 - 1, 2**31 - 1), (2**31 - 1, 1), 0),
        ((1,), (1,), 2**31 - 1),
        ((0,), (1,), 0),
    ],
)
def test_a_tensor_never_reaches_beyond_its_storage(
    tmp_path: Path, shape: tuple[int, ...], steps: tuple[int, ...], offset: int
) -> None:
    made = tensor(NUMBERS, "0", shape=shape, steps=steps, offset=offset)
    raw = zipped(pickle(nested(w=made)), raws({"w": NUMBERS}))
    assert "fewer numbers" in refusal(tmp_path, raw)


@pytest.mark.parametrize(
    "tree",
    [
        tensor(NUMBERS, "0", shape=(-1,), steps=(1,)),
        tensor(NUMBERS, "0", offset=-1),
        tensor(NUMBERS, "missing"),
        tensor(NUMBERS, "../data.pkl"),
        tensor(np.arange(3), "0"),
    ],
)
def test_a_tensor_that_makes_no_sense_is_refused(tmp_path: Path, tree: bytes) -> None:
    raw = zipped(pickle(nested(w=tree)), {"0": bytes(96)})
    assert "can't be read" in refusal(tmp_path, raw)


@pytest.mark.parametrize(
    "claimed", [-1, 2**62, 25], ids=["below nothing", "beyond all", "one too many"]
)
def test_an_old_file_does_not_say_how_long_it_is(tmp_path: Path, claimed: int) -> None:
    arrays = {"w": NUMBERS}
    raw = old(pickle(table(arrays)), raws(arrays))
    lying = raw.replace(struct.pack("<q", 24), struct.pack("<q", claimed))
    assert lying != raw
    assert "its end is missing" in refusal(tmp_path, lying)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no file of weights"),
        (b"This is a note.", "no file of weights"),
        (b"\x80\x02}.", "no checkpoint"),
        (MAGIC, "exhausted"),
        (zipped(b"", {}), "exhausted"),
        (zipped(pickle(number(7)), {}), "no table"),
        (zipped(b"\x80\x02(" + b"(" * 100_000 + b".", {}), "no table"),
        (zipped(pickle(b"}" + numbers((1, 2)) + b"Ns"), {}), "neither text"),
        (zipped(b"N" * 1_100_000, {}), "far more than weights"),
        (save(dict(SMALL))[:40], "damaged"),
        (struct.pack("<Q", 2**40) + b"{}", "damaged"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, raw: bytes, said: str) -> None:
    assert said in refusal(tmp_path, raw)


def test_a_path_that_leads_nowhere_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnusable, match="no such file"):
        groups(tmp_path / "nothing.pth")


WHOLE = (
    checkpoint(SMALL),
    old(pickle(table(SMALL)), raws(SMALL)),
    save(dict(SMALL)),
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    raw=st.sampled_from(WHOLE),
    cut=st.floats(0, 1),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4
    ),
)
def test_damage_is_refused_or_harmless(
    tmp_path: Path, raw: bytes, cut: float, changes: list[tuple[float, int]]
) -> None:
    """Whatever is cut off or changed: numbers, or the one error that says so."""
    damaged = bytearray(raw)
    for place, value in changes:
        damaged[int(place * len(raw))] = value
    with suppress(WeightsUnusable):
        read(tmp_path, bytes(damaged[: round(cut * len(raw)) or 1]))
