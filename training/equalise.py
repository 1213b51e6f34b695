"""Weights rescaled so that a network's channels are about equally strong.

A layer's eight-bit numbers share one range, so a faint channel would get few of them.
ReLU lets a channel be made stronger by one layer and weaker by the next, which changes
nothing in fractions (Nagel et al. 2019).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Feed = dict[str, NDArray[np.float32]]
Floats = NDArray[np.float32]

FURTHEST = 32.0
"""No channel is changed by more than this factor against the others."""


def equalised(model: onnx.ModelProto, shown: Iterable[Feed]) -> onnx.ModelProto:
    """Return the same network, its hidden channels as strong as their weights allow.

    Args:
        model: `model.0.weight`, `model.0.bias`, `model.2.weight`, … in a row.
        shown: What it is fed with while its channels are measured.
    """
    kept = {part.name: part for part in model.graph.initializer}
    weights = {
        name: np.array(numpy_helper.to_array(part)) for name, part in kept.items()
    }
    for index, strong in enumerate(_strengths(model, shown)):
        here, after = f"model.{2 * index}", f"model.{2 * index + 2}.weight"
        factors = _factors(strong, np.abs(weights[after]).max((0, 2, 3)))
        weights[f"{here}.weight"] /= factors[:, None, None, None]
        weights[f"{here}.bias"] /= factors
        weights[after] *= factors[None, :, None, None]
    for name, part in kept.items():
        part.CopyFrom(numpy_helper.from_array(weights[name], name))
    return model


def _strengths(model: onnx.ModelProto, shown: Iterable[Feed]) -> list[Floats]:
    """How high each channel behind each ReLU goes, but for one value in 10,000."""
    names = [node.output[0] for node in model.graph.node if node.op_type == "Relu"]
    open_model = onnx.ModelProto()
    open_model.CopyFrom(model)
    open_model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names
    )
    session = onnxruntime.InferenceSession(
        open_model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    highest = [np.zeros(0, np.float32)] * len(names)
    for feed in shown:
        for at, layer in enumerate(session.run(names, feed)):
            high = np.percentile(layer[0].reshape(layer.shape[1], -1), 99.99, axis=1)
            found = high.astype(np.float32)
            highest[at] = np.maximum(highest[at], found) if len(highest[at]) else found
    return highest


def _factors(strong: Floats, heard: Floats) -> Floats:
    """Make values and the weights that read them alike; what is silent stays so."""
    factors = np.ones_like(strong)
    loud = (strong > 1e-6) & (heard > 1e-6)
    if loud.any():
        ratio = np.sqrt(strong[loud] / heard[loud])
        factors[loud] = ratio / np.exp(np.log(ratio).mean())
    return np.clip(factors, 1.0 / FURTHEST, FURTHEST).astype(np.float32)
