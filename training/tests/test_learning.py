"""Networks, optimiser, resuming and export."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from training.checkpoint import load
from training.loss import relative_error
from training.networks import Denoiser, idle, initialise
from training.optimiser import orthogonal
from training.options import Options, parsed
from training.schedule import asleep
from training.train import exported
from training.trainer import Trainer

from pixtools.engine.denoise import graph
from pixtools.engine.denoise.variants import FAST, QUALITY, VARIANTS, Variant

SMALL = "--device cpu --pool 4 --side 64 --chunk 2 --batch 4 --patch 32 --crop 32"


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("size", [(32, 48), (50, 34)])
def test_onnx_says_what_pytorch_says(variant: Variant, size: tuple[int, int]) -> None:
    """For any even size, from one file."""
    network = _drawn(variant)
    made = graph.model(variant, _arrays(network))
    picture = torch.rand(2, 3, *size)
    sigma = torch.tensor([0.05, 0.2])
    given = {"image": picture.numpy(), "sigma": sigma.reshape(2, 1, 1, 1).numpy()}
    session = onnxruntime.InferenceSession(made.SerializeToString())
    named = {part.name: given[part.name] for part in session.get_inputs()}
    (answer,) = session.run(["denoised"], named)
    with torch.inference_mode():
        wanted = network(picture, sigma).numpy()
    assert np.abs(answer - wanted).max() < 1e-5


def test_a_weight_of_another_shape_is_refused() -> None:
    weights = _arrays(_drawn(FAST))
    weights["model.4.weight"] = weights["model.4.weight"][:, :3]
    with pytest.raises(ValueError, match=r"Expected \(64, 64, 3, 3\) for model\.4"):
        graph.model(FAST, weights)


def test_names_are_those_of_the_public_checkpoints() -> None:
    names = list(Denoiser(QUALITY).state_dict())
    parts = ("weight", "bias")
    assert names == [f"model.{2 * i}.{part}" for i in range(20) for part in parts]


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_a_pixel_depends_on_nothing_beyond_the_halo(variant: Variant) -> None:
    """So that tiles with that halo give the whole picture's result."""
    network, halo = _drawn(variant), variant.halo
    side = 2 * halo + 12
    picture = torch.rand(1, 3, side, side)
    changed = picture.clone()
    changed[..., 0] = 1 - changed[..., 0]
    with torch.inference_mode():
        one, other = (network(x, torch.tensor([0.1])) for x in (picture, changed))
    assert torch.equal(one[..., halo + 2 :], other[..., halo + 2 :])
    assert not torch.equal(one, other)


def test_orthogonal_brings_singular_values_near_one() -> None:
    drawn = torch.randn(3, 16, 144, generator=torch.Generator().manual_seed(1))
    values = torch.linalg.svdvals(orthogonal(drawn))
    assert values.min() > 0.5
    assert values.max() < 1.4


def test_perfection_is_no_error() -> None:
    clean = torch.rand(2, 3, 8, 8)
    assert relative_error(clean, clean, clean + 0.1) == 0


def test_training_goes_on_where_it_was_left(tmp_path: Path) -> None:
    """Steps, time and history of both runs stand in the card."""
    first = _trained(tmp_path, "--minutes 9 --leave-after 0")
    kept = load(tmp_path / "fast.pt", "fast")
    assert kept["progress"]["steps"] == first.progress["steps"] > 0
    assert not first.finished
    kept_at = tmp_path / "fast.pt"
    second = _trained(tmp_path, f"--minutes 9 --leave-after 0 --resume {kept_at}")
    assert second.progress["steps"] == 2 * first.progress["steps"]
    assert second.progress["seconds"] > first.progress["seconds"]
    story = json.loads((tmp_path / "denoise-fast.json").read_text())
    assert len(story["commands"]) == len(story["history"]) == 2
    assert story["export_difference"] < 1e-5
    assert onnx.load(tmp_path / "denoise-fast.onnx").opset_import[0].version == 17


def test_training_goes_on_from_weights_that_were_written(tmp_path: Path) -> None:
    first = _trained(tmp_path, "--minutes 9 --leave-after 0")
    kept = tmp_path / "denoise-fast.onnx"
    again = Trainer(
        _options(tmp_path, f"--minutes 9 --resume {kept}"), time.monotonic()
    )
    for network in (again.network, again.average.network):
        for name, part in first.average.network.state_dict().items():
            assert torch.equal(network.state_dict()[name], part)
    assert again.progress["steps"] == first.progress["steps"] > 0
    assert len(again.progress["commands"]) == 2


def test_another_variant_s_checkpoint_is_refused(tmp_path: Path) -> None:
    assert _trained(tmp_path, "--minutes 0.001").finished
    with pytest.raises(ValueError, match="Expected a checkpoint of quality"):
        load(tmp_path / "fast.pt", "quality")


def test_after_a_loss_that_is_no_number_the_last_good_weights_return(
    tmp_path: Path,
) -> None:
    trainer = Trainer(_options(tmp_path, "--minutes 0.01"), time.monotonic())
    good = {name: part.clone() for name, part in trainer.network.state_dict().items()}
    with torch.no_grad():
        trainer.network.model[0].weight.fill_(torch.nan)
    trainer.go_back()
    assert trainer.progress["rate"] == 1e-3
    for name, part in trainer.network.state_dict().items():
        assert torch.equal(part, good[name])


def test_layers_asleep_pass_on_exactly_what_they_get() -> None:
    """So that a grown network begins where the shallow one stood."""
    sleeping = asleep(QUALITY.depth, 0.0)
    network = Denoiser(QUALITY)
    initialise(network, 1, sleeping)
    assert idle(network) == sleeping
    picture, sigma = torch.rand(1, 3, 24, 24), torch.tensor([0.1])
    with torch.inference_mode():
        whole = network(picture, sigma)
        network.asleep = sleeping
        assert torch.equal(network(picture, sigma), whole)


def test_a_network_grows_until_every_layer_learns() -> None:
    steps = [asleep(20, share) for share in (0.0, 0.3, 0.6)]
    assert [len(sleeping) for sleeping in steps] == [12, 6, 0]
    assert steps[0] > steps[1] > steps[2]
    assert not steps[0] & {0, 19}


def test_layers_asleep_stay_as_they_are_and_learn_once_awake(tmp_path: Path) -> None:
    first = _trained(tmp_path, "--grow --minutes 9 --leave-after 0")
    sleeping = first.network.asleep
    assert idle(first.network) == sleeping == asleep(FAST.depth, 0.0)
    awake = _trained(
        tmp_path, f"--minutes 9 --leave-after 0 --resume {tmp_path}/fast.pt"
    )
    assert not awake.network.asleep
    assert not idle(awake.network)


def _trained(folder: Path, said: str) -> Trainer:
    options = _options(folder, said)
    trainer = Trainer(options, time.monotonic())
    trainer.run()
    exported(trainer, options)
    return trainer


def _options(folder: Path, said: str) -> Options:
    return parsed(f"--variant fast {SMALL} --out {folder} {said}".split())


def _drawn(variant: Variant) -> Denoiser:
    network = Denoiser(variant)
    initialise(network, 1)
    return network


def _arrays(network: Denoiser) -> dict[str, np.ndarray]:
    return {name: part.numpy() for name, part in network.state_dict().items()}
