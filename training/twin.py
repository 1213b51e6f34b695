"""A network's twin in eight bits, as ONNX that products of bytes are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor

from pixtools.engine.denoise import graph
from pixtools.engine.denoise.variants import Variant
from training import written
from training.rounding import Whole
from training.stepped import STEPS

Array = NDArray[np.generic]


def model(
    variant: Variant, weights: graph.Weights, whole: Mapping[int, Whole]
) -> onnx.ModelProto:
    """Build the graph of a stepped network whose layers in `whole` are rounded.

    ONNX Runtime makes one operation of each rounded convolution, its ReLU (which is
    what bytes do, having no sign) and the steps behind it.
    """
    made = graph.model(variant, weights)
    nodes = [new for node in made.graph.node for new in _replaced(node, whole)]
    numbers: dict[str, Array] = {
        "step": np.array(1 / STEPS, np.float32),
        "nought": np.array(0, np.uint8),
    }
    for index, layer in whole.items():
        numbers |= _numbers(f"model.{2 * index}", layer)
    kept = [x for x in made.graph.initializer if f"{x.name}.scale" not in numbers]
    made.graph.ClearField("node")
    made.graph.ClearField("initializer")
    made.graph.node.extend(nodes)
    made.graph.initializer.extend(kept)
    made.graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in numbers.items()
    )
    onnx.checker.check_model(made, full_check=True)
    return made


def read(path: Path, variant: Variant) -> tuple[dict[str, Tensor], dict[int, Whole]]:
    """Read back what `model` was given: all weights, and those that are rounded."""
    found = written.constants(path)
    layers: dict[int, Whole] = {}
    for index in range(1, variant.depth - 1):
        name = f"model.{2 * index}"
        numbers, scales, bias = (
            torch.tensor(found[f"{name}.{part}"].astype(np.float32))
            for part in ("weight.whole", "weight.scale", "bias.whole")
        )
        layers[index] = Whole(numbers, scales, bias * scales / STEPS)
        found[f"{name}.weight"] = layers[index].weight.numpy()
        found[f"{name}.bias"] = layers[index].bias.numpy()
    return written.in_order(found, variant), layers


def _replaced(
    node: onnx.NodeProto, whole: Mapping[int, Whole]
) -> Iterator[onnx.NodeProto]:
    if node.op_type == "Relu":
        (told,), (said,) = node.input, node.output
        yield helper.make_node(
            "QuantizeLinear", [told, "step", "nought"], [f"{said}.bytes"]
        )
        yield helper.make_node(
            "DequantizeLinear", [f"{said}.bytes", "step", "nought"], [said]
        )
        return
    if node.op_type == "Conv" and node.output[0] in {f"conv{x}" for x in whole}:
        for name in node.input[1:]:
            parts = [f"{name}.whole", f"{name}.scale", f"{name}.zero"]
            yield helper.make_node("DequantizeLinear", parts, [name], axis=0)
    yield node


def _numbers(name: str, layer: Whole) -> dict[str, Array]:
    scales = layer.scales.double().numpy()
    finest = scales / STEPS
    bias = np.rint(layer.bias.double().numpy() / finest)
    return {
        f"{name}.weight.whole": layer.numbers.numpy().astype(np.int8),
        f"{name}.weight.scale": scales.astype(np.float32),
        f"{name}.weight.zero": np.zeros(len(scales), np.int8),
        f"{name}.bias.whole": bias.astype(np.int32),
        f"{name}.bias.scale": finest.astype(np.float32),
        f"{name}.bias.zero": np.zeros(len(scales), np.int32),
    }
