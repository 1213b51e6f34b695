"""Which weights are taken, and what is said of those that can't be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tests.denoising import opened
from tests.networks import blurring, by_chance

from pixtools.domain.errors import DenoiserUnusable
from pixtools.engine.abilities import abilities
from pixtools.engine.denoise import session, weights as rules
from pixtools.engine.denoise.processor import multiplies_bytes
from pixtools.engine.denoise.weights import weights_of

pytestmark = pytest.mark.usefixtures("shipped")


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    return blurring(tmp_path / "imported")


def change(folder: Path, **facts: Any) -> None:
    card = folder / "denoise-quality.json"
    card.write_text(json.dumps({**json.loads(card.read_bytes()), **facts}))


def sign(folder: Path) -> None:
    """Let the card describe whatever stands beside it."""
    import hashlib

    raw = (folder / "denoise-quality.onnx").read_bytes()
    change(folder, sha256=hashlib.sha256(raw).hexdigest())


def test_without_weights_nothing_is_offered(tmp_path: Path) -> None:
    none = opened(tmp_path / "absent")
    assert none.names() == ()
    assert "denoise" not in abilities(none).actions
    with pytest.raises(DenoiserUnusable, match=r"\(none\) but received no name"):
        none.open(None)


def test_imported_weights_win_over_those_of_the_package(
    shipped: Path, imported: Path
) -> None:
    by_chance(by_chance(shipped, "quality"), "fast")
    both = opened(imported)
    assert both.names() == ("quality", "fast")
    assert both.open("quality").weights.path.parent == imported
    assert both.open("fast").weights.path.parent == shipped


def test_a_network_is_opened_once(imported: Path) -> None:
    networks = opened(imported)
    assert networks.open(None) is networks.open("quality")


def no_card(folder: Path) -> None:
    (folder / "denoise-quality.json").unlink()


def empty_card(folder: Path) -> None:
    (folder / "denoise-quality.json").write_text("{}")


def other_bytes(folder: Path) -> None:
    path = folder / "denoise-quality.onnx"
    path.write_bytes(path.read_bytes() + b"\0")


def no_network(folder: Path) -> None:
    (folder / "denoise-quality.onnx").write_bytes(b"GIF89a" * 100)
    sign(folder)


def other_inputs(folder: Path) -> None:
    path = folder / "denoise-quality.onnx"
    model = onnx.load(path)
    model.graph.input[0].name = model.graph.node[0].input[0] = "pixels"
    for node in model.graph.node:
        node.input[:] = ["pixels" if n == "image" else n for n in node.input]
    onnx.save(model, path)
    sign(folder)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (no_card, "card of the denoiser quality can't be read"),
        (empty_card, "card of the denoiser quality can't be read"),
        (lambda folder: change(folder, halo=100_000), "card of the denoiser quality"),
        (lambda folder: change(folder, multiple=3), "card of the denoiser quality"),
        (other_bytes, "its file is not the one that its card describes"),
        (no_network, "its file is not a network"),
        (other_inputs, "its inputs are not a denoiser's"),
        (lambda folder: change(folder, conditional=True), "its inputs are not"),
    ],
)
def test_weights_that_can_t_be_used_are_named(
    imported: Path, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(imported)
    with pytest.raises(DenoiserUnusable, match=words) as said:
        opened(imported).open("quality")
    assert str(imported) not in said.value.detail


def test_a_network_that_fails_as_it_runs_is_named(imported: Path) -> None:
    network = opened(imported).open("quality")
    with pytest.raises(DenoiserUnusable, match="it can't be run"):
        network.clean(np.zeros((5, 8, 8), np.float32), 0.1)


@pytest.mark.parametrize(
    ("precision", "quick", "taken"),
    [
        ("auto", True, "denoise-quality-int8.onnx"),
        ("auto", False, "denoise-quality.onnx"),
        ("float32", True, "denoise-quality.onnx"),
        ("int8", False, "denoise-quality-int8.onnx"),
    ],
)
def test_eight_bits_are_taken_where_they_are_quicker_or_asked_for(
    imported: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: Any,
    quick: bool,
    taken: str,
) -> None:
    monkeypatch.setattr(rules, "multiplies_bytes", lambda: quick)
    (imported / "denoise-quality-int8.onnx").write_bytes(b"small")
    change(imported, int8={"sha256": "its own"})
    found = weights_of("quality", imported, precision)
    assert found.path.name == taken
    assert (found.sha256 == "its own") == ("int8" in taken)


def test_eight_bits_that_are_not_there_are_fractions(imported: Path) -> None:
    found = weights_of("quality", imported, "int8")
    assert found.path.name == "denoise-quality.onnx"


@pytest.mark.parametrize(
    ("line", "quick"),
    [
        ("flags\t\t: fpu sse4_2 avx2 avx512_vnni\n", True),
        ("flags\t\t: fpu sse4_2 avx2\n", False),
        ("Features\t: fp asimd asimddp\n", True),
        ("nothing that we know\n", False),
    ],
)
def test_a_processor_says_whether_it_sums_products_of_bytes(
    tmp_path: Path, line: str, quick: bool
) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text("processor\t: 0\n" + line)
    assert multiplies_bytes(told) == quick
    assert not multiplies_bytes(tmp_path / "absent")


def test_threads_are_those_of_the_cores_that_we_may_use_and_four_at_most() -> None:
    assert 1 <= session._threads() <= 4
