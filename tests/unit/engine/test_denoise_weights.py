"""Which weights are taken, and what is said of those that can't be."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from tests.denoising import opened
from tests.networks import blurring, by_chance

from pixtools.domain.errors import DenoiserUnusable
from pixtools.engine import Denoisers, EngineConfig
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
    assert both.open("quality").weights.files[0].path.parent == imported
    assert both.open("fast").weights.files[0].path.parent == shipped


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


def twins(folder: Path, *borders: float | None) -> list[str]:
    """Let the card name weights in eight bits for noise below each of these."""
    told = []
    for number, below in enumerate(borders):
        path = folder / f"denoise-quality-int8-{number}.onnx"
        by_chance(folder / "else", "quality", seed=2 + number)
        shutil.copy(folder / "else" / "denoise-quality.onnx", path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        told.append({"file": path.name, "sha256": sha256, "below": below})
    change(folder, int8=told)
    return [str(each["file"]) for each in told]


@pytest.mark.parametrize(
    ("precision", "quick", "small"),
    [
        ("auto", True, True),
        ("auto", False, False),
        ("float32", True, False),
        ("int8", False, True),
    ],
)
def test_eight_bits_are_taken_where_they_are_quicker_or_asked_for(
    imported: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: Any,
    quick: bool,
    small: bool,
) -> None:
    monkeypatch.setattr(rules, "multiplies_bytes", lambda: quick)
    named = twins(imported, 30.0, None)
    found = weights_of("quality", imported, precision)
    taken = named if small else ["denoise-quality.onnx"]
    assert [file.path.name for file in found.files] == taken


@pytest.mark.parametrize("lost", ["denoise-quality-int8-0", "denoise-quality-int8-1"])
def test_eight_bits_that_are_not_all_there_are_fractions(
    imported: Path, lost: str
) -> None:
    twins(imported, 30.0, None)
    (imported / f"{lost}.onnx").unlink()
    found = weights_of("quality", imported, "int8")
    assert [file.path.name for file in found.files] == ["denoise-quality.onnx"]


@pytest.mark.parametrize("borders", [(30.0,), (30.0, 20.0, None), (None, 30.0)])
def test_eight_bits_that_leave_some_noise_to_nobody_are_refused(
    imported: Path, borders: tuple[float | None, ...]
) -> None:
    twins(imported, *borders)
    with pytest.raises(DenoiserUnusable, match="card of the denoiser quality"):
        weights_of("quality", imported, "int8")


def test_each_noise_has_the_weights_that_were_made_for_it(imported: Path) -> None:
    names = twins(imported, 30.0, None)
    picture = np.random.default_rng(1).random((3, 24, 24), np.float32)
    network = Denoisers(EngineConfig(models_dir=imported, precision="int8"))
    said = [
        network.open("quality").clean(picture, sigma / 255.0)
        for sigma in (0.0, 29.9, 30.1, 90.0)
    ]
    for name, pair in zip(names, (said[:2], said[2:]), strict=True):
        session = onnxruntime.InferenceSession(imported / name)
        (wanted,) = session.run(None, {"image": picture[None]})
        for answer in pair:
            np.testing.assert_allclose(answer, wanted[0], atol=1e-6)


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
