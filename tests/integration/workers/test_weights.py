"""Weights are read by a process of their own, which may die of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.checkpoints import blurring, checkpoint

from pixtools.domain.errors import InternalError, WeightsUnusable
from pixtools.engine.denoise.variants import QUALITY
from pixtools.workers import weights


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "dncnn_color_blind.pth"
    path.write_bytes(checkpoint(blurring(QUALITY)))
    return path


def test_an_import_is_listed_and_can_be_undone(source: Path, tmp_path: Path) -> None:
    done = weights.import_weights(source, tmp_path)
    found = [w for w in weights.installed(tmp_path) if w.origin == "imported"]
    assert [(w.name, w.sha256, w.used) for w in found] == [
        ("quality", done.sha256, True)
    ]
    weights.remove_weights(tmp_path, "quality")
    assert list(tmp_path.iterdir()) == []


def test_the_error_of_the_child_is_ours(tmp_path: Path) -> None:
    (tmp_path / "note.pth").write_text("no weights")
    with pytest.raises(WeightsUnusable, match=r"note\.pth is no file of weights"):
        weights.import_weights(tmp_path / "note.pth", tmp_path)


@pytest.mark.parametrize(
    ("program", "kind", "said"),
    [
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)",
            WeightsUnusable,
            "signal 24",
        ),
        ("raise SystemExit('out of luck')", InternalError, "out of luck"),
        ("print('{')", InternalError, "no word"),
    ],
)
def test_a_child_that_dies_is_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: str,
    kind: type[Exception],
    said: str,
) -> None:
    (tmp_path / "dying_child.py").write_text(program)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(weights, "CHILD", "dying_child")
    with pytest.raises(kind, match=said):
        weights.installed(tmp_path)


def test_the_child_does_nothing_for_a_person() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", weights.CHILD],
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert "pixtools models" in answer.stderr
