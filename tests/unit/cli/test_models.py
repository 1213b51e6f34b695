"""`pixtools models` as a person types it, in a terminal of 80 columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.checkpoints import blurring, checkpoint
from typer.testing import CliRunner, Result

from pixtools.cli.main import build
from pixtools.engine.denoise.variants import QUALITY

GOOD, FAILED, MISUSED = 0, 1, 2


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with weights of one's own, and with a note."""
    folder = tmp_path_factory.mktemp("room")
    (folder / "dncnn_color_blind.pth").write_bytes(checkpoint(blurring(QUALITY)))
    (folder / "note.pth").write_text("This is a note.")
    return folder


def told(room: Path, *words: str) -> Result:
    env = {"PIXTOOLS_DATA_DIR": str(room), "COLUMNS": "80"}
    return CliRunner().invoke(build(), ["models", *words], env=env)


def test_weights_come_are_listed_and_go(room: Path) -> None:
    done = told(room, "import", str(room / "dncnn_color_blind.pth"), "--as", "quality")
    assert done.exit_code == GOOD, done.stderr
    assert "✓ quality: 20 convolutions of 64 channels, 2.7 MB" in done.stdout
    assert (room / "models" / "denoise-quality.onnx").exists()
    table = told(room, "list").stdout
    row = next(line for line in table.splitlines() if "imported" in line)
    assert row.split()[:5] == ["quality", "imported", "yes", "2.7", "MB"]
    assert all(len(line) <= 80 for line in table.splitlines())
    found = [json.loads(x) for x in told(room, "list", "--json").stdout.splitlines()]
    assert ("quality", "imported") in {(w["name"], w["origin"]) for w in found}
    assert told(room, "remove", "quality").exit_code == GOOD
    assert "imported" not in told(room, "list").stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("import", "{room}/note.pth"), FAILED, "no file of weights"),
        (("import", "{room}/nothing.pth"), FAILED, "no such file"),
        (("remove", "fast"), MISUSED, "No weights were imported for fast"),
    ],
)
def test_trouble_is_one_sentence(
    room: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    answer = told(room, *(word.format(room=room) for word in words))
    assert answer.exit_code == code
    assert said in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
    assert answer.stdout == ""


def test_a_network_that_does_not_exist_is_a_wrong_call(room: Path) -> None:
    assert told(room, "remove", "best").exit_code == MISUSED
