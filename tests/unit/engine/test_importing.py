"""Weights of one's own: recognised, converted, tried, and put where the engine looks."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from tests.checkpoints import (
    Arrays,
    blurring,
    checkpoint,
    nested,
    pickle,
    raws,
    table,
    zipped,
)

from pixtools.domain.errors import (
    ConfigurationInvalid,
    InvalidRequest,
    WeightsUnusable,
)
from pixtools.engine.denoise.importing import import_weights, remove_weights
from pixtools.engine.denoise.shelf import shelf
from pixtools.engine.denoise.variants import FAST, QUALITY, VARIANTS, Variant

BLUR = {name: blurring(variant) for name, variant in VARIANTS.items()}
EDGE = 8


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def file_of(tmp_path: Path, arrays: Arrays) -> Path:
    path = tmp_path / "dncnn_color_blind.pth"
    path.write_bytes(checkpoint(arrays))
    return path


def refusal(tmp_path: Path, models: Path, arrays: Arrays) -> str:
    with pytest.raises(WeightsUnusable) as refused:
        import_weights(file_of(tmp_path, arrays), models, None)
    assert not models.exists()
    return refused.value.detail


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_the_network_that_comes_out_computes_what_the_weights_say(
    tmp_path: Path, models: Path, variant: Variant
) -> None:
    """A mean of nine, of every second pixel where pixels are folded two by two."""
    done = import_weights(file_of(tmp_path, BLUR[variant.name]), models, None)
    assert done.name == variant.name
    picture = np.random.default_rng(1).random((1, 3, 32, 48), np.float32)
    given: dict[str, Any] = {"image": picture}
    if variant.conditional:
        given["sigma"] = np.full((1, 1, 1, 1), 0.1, np.float32)
    session = onnxruntime.InferenceSession(models / f"denoise-{variant.name}.onnx")
    (answer,) = session.run(["denoised"], given)
    step = variant.shuffle
    shifts = [(y * step, x * step) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    mean = np.mean([np.roll(picture, shift, (2, 3)) for shift in shifts], axis=0)
    inside = (..., slice(EDGE, -EDGE), slice(EDGE, -EDGE))
    np.testing.assert_allclose(answer[inside], mean[inside], atol=1e-6)


def test_the_card_tells_what_the_engine_needs_and_where_it_is_from(
    tmp_path: Path, models: Path
) -> None:
    source = file_of(tmp_path, BLUR["quality"])
    done = import_weights(source, models, "quality")
    raw = (models / "denoise-quality.onnx").read_bytes()
    card = json.loads((models / "denoise-quality.json").read_text())
    assert card["sha256"] == done.sha256 == hashlib.sha256(raw).hexdigest()
    assert (card["halo"], card["multiple"], card["conditional"]) == (20, 1, False)
    assert card["imported_from"]["file"] == "dncnn_color_blind.pth"
    source_hash = hashlib.sha256(source.read_bytes()).hexdigest()
    assert card["imported_from"]["sha256"] == source_hash
    assert done.after > done.before


def test_averaged_weights_are_preferred_and_wrapping_does_not_matter(
    tmp_path: Path, models: Path
) -> None:
    last = {name: np.zeros_like(array) for name, array in BLUR["quality"].items()}
    smooth = {f"module.{name}": array for name, array in BLUR["quality"].items()}
    rows = raws(
        {f"{at}": array for at, array in enumerate([*last.values(), *smooth.values()])}
    )
    tree = nested(params=table(last), params_ema=table(smooth, first=len(last)))
    path = tmp_path / "training.pth"
    path.write_bytes(zipped(pickle(tree), rows))
    done = import_weights(path, models, None)
    assert done.after > done.before


def changed(**changes: np.ndarray[Any, Any] | None) -> Arrays:
    arrays: dict[str, Any] = BLUR["quality"] | {
        name.replace("_", "."): array for name, array in changes.items()
    }
    return {name: array for name, array in arrays.items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (
            changed(model_6_weight=np.zeros((64, 64, 5, 5), np.float32)),
            "expected (64, 64, 3, 3) for model.6.weight but received (64, 64, 5, 5)",
        ),
        (changed(model_38_bias=None), "for model.38.bias but received nothing"),
        (
            changed(model_40_weight=np.zeros((3, 3, 3, 3), np.float32)),
            "it has model.40.weight, too, one tensor more than needed",
        ),
        (
            changed(model_0_weight=np.zeros((64, 1, 3, 3), np.float32)),
            "They seem to be for grey pictures",
        ),
        (
            {"model.0.weight": np.zeros((96, 13, 3, 3), np.float32)},
            "of 64 channels): expected (64, 13, 3, 3) for model.0.weight but received ",
        ),
        ({}, "holds no tensors"),
    ],
)
def test_other_shapes_are_named(
    tmp_path: Path, models: Path, arrays: Arrays, said: str
) -> None:
    assert said in refusal(tmp_path, models, arrays)


def test_a_network_that_was_not_asked_for_is_not_taken(
    tmp_path: Path, models: Path
) -> None:
    with pytest.raises(WeightsUnusable, match="not the weights of fast"):
        import_weights(file_of(tmp_path, BLUR["quality"]), models, "fast")


@pytest.mark.parametrize(
    ("factor", "said"),
    [(0.0, "take no noise away"), (-1.0, "take no noise away"), (np.nan, "no numbers")],
)
def test_weights_that_take_no_noise_away_are_refused(
    tmp_path: Path, models: Path, factor: float, said: str
) -> None:
    """Shapes alone do not tell what a network was trained for."""
    last = BLUR["quality"]["model.38.weight"] * np.float32(factor)
    assert said in refusal(tmp_path, models, changed(model_38_weight=last))


def test_what_is_refused_leaves_what_was_there(tmp_path: Path, models: Path) -> None:
    import_weights(file_of(tmp_path, BLUR["quality"]), models, None)
    before = {path.name: path.read_bytes() for path in models.iterdir()}
    with pytest.raises(WeightsUnusable):
        import_weights(file_of(tmp_path, changed(model_0_bias=None)), models, None)
    assert {path.name: path.read_bytes() for path in models.iterdir()} == before


def test_an_import_replaces_all_of_the_one_before_it(
    tmp_path: Path, models: Path
) -> None:
    import_weights(file_of(tmp_path, BLUR["quality"]), models, None)
    for twin in ("int8-weak", "int8-strong"):
        (models / f"denoise-quality-{twin}.onnx").write_bytes(b"of the weights before")
    half = {name: array / 2 for name, array in BLUR["quality"].items()}
    half["model.38.weight"] = half["model.38.weight"] * np.float32(2**20)
    done = import_weights(file_of(tmp_path, half), models, None)
    assert {path.name for path in models.iterdir()} == {
        "denoise-quality.onnx",
        "denoise-quality.json",
    }
    (weights,) = shelf(models, models / "none")
    assert (weights.sha256, weights.trouble) == (done.sha256, "")


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = tmp_path / "file" / "models"
    with pytest.raises(ConfigurationInvalid, match="MODELS_DIR"):
        import_weights(file_of(tmp_path, BLUR["quality"]), folder, None)


@pytest.mark.parametrize("package", ["onnx", "safetensors"])
def test_without_the_extra_a_sentence_says_what_to_install(
    tmp_path: Path, models: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pixtools.engine.denoise.graph", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    path = file_of(tmp_path, BLUR["quality"])
    if package == "safetensors":
        path.write_bytes(bytes(8) + b"{}")
    with pytest.raises(WeightsUnusable, match=r"pip install 'pixtools\[models\]'"):
        import_weights(path, models, None)


def test_the_shelf_says_what_is_used_and_what_is_broken(
    tmp_path: Path, models: Path
) -> None:
    shipped = tmp_path / "shipped"
    for home in (models, shipped):
        import_weights(file_of(tmp_path, BLUR["quality"]), home, None)
    import_weights(file_of(tmp_path, BLUR["fast"]), shipped, None)
    (shipped / "denoise-fast.onnx").write_bytes(b"something else")
    found = shelf(models, shipped)
    assert [(w.name, w.origin, w.used) for w in found] == [
        ("quality", "imported", True),
        ("quality", "shipped", False),
        ("fast", "shipped", True),
    ]
    assert found[0].trouble == ""
    assert "another file" in found[2].trouble
    (shipped / "denoise-fast.json").unlink()
    assert "card" in shelf(models, shipped)[2].trouble


def test_what_was_removed_is_gone_and_then_not_there(
    tmp_path: Path, models: Path
) -> None:
    import_weights(file_of(tmp_path, BLUR["fast"]), models, None)
    remove_weights(models, "fast")
    assert list(models.iterdir()) == []
    with pytest.raises(InvalidRequest, match="No weights were imported for fast"):
        remove_weights(models, "fast")


def test_the_two_networks_can_be_told_apart() -> None:
    assert QUALITY.shapes["model.0.weight"] != FAST.shapes["model.0.weight"]
