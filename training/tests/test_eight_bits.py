"""From trained weights to their twin in eight bits."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from training import hardening, twin
from training.bands import WEAK
from training.dice import Dice
from training.hardening import hardened
from training.networks import Denoiser
from training.noise import Patches
from training.pool import Pool
from training.quantise import Supply, quantised, trained
from training.ranges import ranges
from training.rounding import LEVELS, fitted, moments, rounded
from training.stepped import MOST, STEPS, Steps, stepped

from pixtools.engine.denoise import cards, graph
from pixtools.engine.denoise.variants import Variant

TINY = {
    "quality": Variant("quality", 4, 8, 1, conditional=False),
    "fast": Variant("fast", 4, 8, 2, conditional=True),
}


def test_steps_are_whole_and_pass_gradients_on_where_nothing_is_cut() -> None:
    seen = torch.tensor([-0.5, 0.1, 0.5, 3.0], requires_grad=True)
    told = Steps()(seen)
    told.sum().backward()
    assert torch.equal(told * STEPS, torch.tensor([0.0, 26.0, 128.0, STEPS - 1]))
    assert seen.grad is not None
    assert torch.equal(seen.grad, torch.tensor([0.0, 1.0, 1.0, 0.0]))


@pytest.mark.parametrize("name", TINY)
def test_a_network_of_steps_says_nearly_the_same(name: str) -> None:
    network, patches = _drawn(TINY[name]), _patches()
    with torch.no_grad():
        before = network(patches.noisy, patches.sigma)
        after = _stepped(network, patches)(patches.noisy, patches.sigma)
    apart = (after - before).abs().max()
    assert 0 < apart < (before - patches.noisy).abs().max() / 20


def test_channels_get_ranges_by_what_they_say() -> None:
    """The tenth of the loudness, a tenth of the range; what is loud is not cut off."""
    network, patches = _drawn(TINY["quality"]), _patches()
    before = ranges(network, patches)
    with torch.no_grad():
        network.model[0].weight[3] *= 0.1
        network.model[0].bias[3] *= 0.1
        network.model[2].weight[:, 3] *= 10.0
    after = ranges(network, patches)
    before[0][3] /= 10.0
    for one, other in zip(before, after, strict=True):
        assert torch.allclose(one, other, rtol=1e-3)


def test_chosen_ranges_cost_less_than_each_channels_greatest_value() -> None:
    """Together with the rounding of the weights behind them."""
    patches, apart = _patches(), []
    teacher, drawn = _uneven(), _uneven()
    with torch.no_grad():
        seen = [drawn.model[: 2 * n](patches.noisy) for n in (1, 2, 3)]
    for chosen in (
        [each.amax((0, 2, 3)) / MOST for each in seen],
        ranges(drawn, patches),
    ):
        network = stepped(_uneven(), chosen)
        rounded(network, patches)
        apart.append(_apart(network, teacher, patches))
    assert apart[1] < 0.8 * apart[0]


def test_weights_that_make_up_for_one_another_miss_less() -> None:
    """Than those that are each rounded to the nearest."""
    layer = _drawn(TINY["quality"]).model[2]
    seen = torch.nn.functional.avg_pool2d(torch.rand(6, 8, 20, 20), 3, 1)
    with torch.no_grad():
        wanted = layer(seen)
        whole = fitted(layer, *moments(seen, torch.ones(6)))
        found = torch.nn.functional.conv2d(seen, whole.weight, whole.bias, padding=1)
        scales = layer.weight.abs().amax((1, 2, 3), keepdim=True) / LEVELS
        layer.weight.copy_((layer.weight / scales).round() * scales)
        nearest = layer(seen)
    assert torch.equal(whole.numbers, whole.numbers.round())
    assert whole.numbers.abs().max() <= LEVELS
    assert (found - wanted).square().mean() < (nearest - wanted).square().mean() / 2


@pytest.mark.parametrize("name", TINY)
def test_the_file_says_what_was_rounded_in_products_of_bytes(
    name: str, tmp_path: Path
) -> None:
    variant, patches = TINY[name], _patches()
    network = _stepped(_drawn(variant), patches)
    layers = rounded(network, patches)
    path = tmp_path / "small.onnx"
    onnx.save(twin.model(variant, _arrays(network), layers), path)
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "run.onnx")
    session = onnxruntime.InferenceSession(path, options)
    given = {"image": patches.noisy, "sigma": patches.sigma.reshape(-1, 1, 1, 1)}
    named = {part.name: given[part.name].numpy() for part in session.get_inputs()}
    (answer,) = session.run(None, named)
    with torch.no_grad():
        wanted = network(patches.noisy, patches.sigma).numpy()
    assert np.abs(answer - wanted).mean() < 1e-4
    kinds = Counter(x.op_type for x in onnx.load(tmp_path / "run.onnx").graph.node)
    assert kinds["QLinearConv"] == variant.depth - 2
    assert kinds["QuantizeLinear"] == kinds["DequantizeLinear"] == 1


def test_a_rounded_network_learns_to_say_what_its_teacher_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From far away, too, and stays one of whole numbers."""
    monkeypatch.setattr(hardening, "PEAK", 2e-3)
    teacher, patches = _drawn(TINY["quality"]), _patches()
    network = _stepped(_drawn(TINY["quality"]), patches)
    layers = rounded(network, patches)
    for bias in (layers[1].bias, network.model[2].bias):
        bias.add_(0.1)
    before = _apart(network, teacher, patches)
    learnt = hardened(network, layers, teacher, lambda: patches, 0.05)
    assert _apart(network, teacher, patches) < before / 2
    assert learnt.keys() == layers.keys()
    for index, whole in learnt.items():
        assert torch.equal(whole.numbers, whole.numbers.round())
        assert whole.numbers.abs().max() <= LEVELS
        assert not torch.equal(whole.numbers, layers[index].numbers)
        # Training in bfloat16 saw no more of a bias than is written.
        assert torch.equal(whole.bias, whole.bias.bfloat16().float())


@pytest.mark.parametrize("name", TINY)
def test_a_file_becomes_the_network_that_it_was_written_of(
    name: str, tmp_path: Path
) -> None:
    network = _drawn(TINY[name])
    whole = _written(tmp_path, network)
    again = trained(whole, TINY[name])
    for part, other in zip(network.parameters(), again.parameters(), strict=True):
        assert torch.equal(part, other)


def test_trained_weights_become_their_twin(tmp_path: Path) -> None:
    whole, small = _written(tmp_path, _drawn(TINY["quality"])), tmp_path / "small.onnx"
    dice = Dice(torch.device("cpu"), 1)
    quantised(whole, small, Supply(Pool(dice, 1, 96, 1), dice, WEAK))
    picture = np.random.default_rng(1).random((1, 3, 32, 48), dtype=np.float32)
    one, other = (
        onnxruntime.InferenceSession(path).run(None, {"image": picture})[0]
        for path in (whole, small)
    )
    assert 0 < np.abs(one - other).mean() < np.abs(one - picture).mean() / 20


def test_a_twin_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """So that it may learn further."""
    whole, small = _written(tmp_path, _drawn(TINY["quality"])), tmp_path / "small.onnx"
    dice = Dice(torch.device("cpu"), 1)
    supply = Supply(Pool(dice, 1, 96, 1), dice, WEAK)
    quantised(whole, small, supply)
    first = small.read_bytes()
    quantised(whole, small, supply, further=True)
    assert small.read_bytes() == first
    quantised(whole, small, supply, 0.03, further=True)
    assert small.read_bytes() != first


def _uneven() -> Denoiser:
    """Channels of very different loudness, all of which matter."""
    network = _drawn(TINY["quality"])
    with torch.no_grad():
        for place in (0, 2, 4):
            loud = torch.logspace(-1.5, 1.5, 8)
            network.model[place].weight *= loud[:, None, None, None]
            network.model[place].bias *= loud
            network.model[place + 2].weight /= loud[:, None, None].sqrt()
    return network


def _stepped(network: Denoiser, patches: Patches) -> Denoiser:
    return stepped(network, ranges(network, patches))


def _apart(network: Denoiser, teacher: Denoiser, patches: Patches) -> float:
    with torch.no_grad():
        said, wanted = (x(patches.noisy, patches.sigma) for x in (network, teacher))
    return float((said - wanted).square().mean())


def _drawn(variant: Variant) -> Denoiser:
    torch.manual_seed(1)
    drawn = Denoiser(variant)
    drawn.requires_grad_(requires_grad=False)
    return drawn


def _patches() -> Patches:
    generator = torch.Generator().manual_seed(2)
    clean = torch.rand(6, 3, 24, 24, generator=generator)
    noisy = clean + 0.1 * torch.randn(clean.shape, generator=generator)
    return Patches(clean, noisy, torch.full((6,), 0.1))


def _arrays(network: Denoiser) -> dict[str, np.ndarray]:
    return {name: part.numpy() for name, part in network.state_dict().items()}


def _written(folder: Path, network: Denoiser) -> Path:
    path = folder / f"denoise-{network.variant.name}.onnx"
    onnx.save(graph.model(network.variant, _arrays(network)), path)
    card = cards.card(path.name, path.read_bytes(), network.variant)
    path.with_suffix(".json").write_text(json.dumps(card))
    return path
