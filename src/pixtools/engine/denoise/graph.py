"""A trained network as ONNX, written node by node: no tracer, no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pixtools.engine.denoise.variants import Variant

OPSET = 17
IR = 8
"""Fixed, so that every ONNX Runtime of the last years reads the file."""

Weights = Mapping[str, NDArray[np.float32]]
"""`model.0.weight`, `model.0.bias`, `model.2.weight`, … as a state dictionary holds."""


def model(variant: Variant, weights: Weights) -> onnx.ModelProto:
    """Build the graph: `image` (and `sigma`) in, `denoised` out.

    `image` is n × 3 × height × width, 0 … 1, sides multiples of `variant.shuffle`;
    `sigma` is n × 1 × 1 × 1 on the same scale.

    Raises:
        ValueError: A weight is missing or has another shape than the variant says.
    """
    arranged = _arranged(variant, _checked(variant, weights))
    nodes, last = _entrance(variant)
    for index in range(variant.depth):
        nodes += _layer(index, last, final=index == variant.depth - 1)
        last = nodes[-1].output[0]
    nodes += _exit(variant, last)
    constants = [
        numpy_helper.from_array(array, name)
        for name, array in (arranged | _shapes(variant)).items()
    ]
    graph = helper.make_graph(
        nodes,
        f"pixtools-{variant.name}",
        _inputs(variant),
        [_picture("denoised")],
        constants,
    )
    made = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
        producer_name="pixtools",
    )
    onnx.checker.check_model(made, full_check=True)
    return made


def order(variant: Variant) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which of PyTorch's channels stand where in the graph: going in, coming out.

    PyTorch has places within colours, ONNX the reverse.
    """
    square = variant.shuffle**2
    out = np.arange(3 * square).reshape(3, square).T.flatten()
    return np.concatenate([out, np.arange(3 * square, variant.inputs)]), out


def _checked(variant: Variant, weights: Weights) -> dict[str, NDArray[np.float32]]:
    """Return the weights as float32, in order, each of the expected shape."""
    found = {}
    for name, shape in variant.shapes.items():
        array = weights.get(name)
        if array is None or array.shape != shape:
            got = "nothing" if array is None else f"{array.shape}"
            raise ValueError(f"Expected {shape} for {name} but received {got}.")
        found[name] = np.ascontiguousarray(array, dtype=np.float32)
    return found


def _arranged(
    variant: Variant, weights: dict[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """Reorder the channels of the first and the last layer."""
    entry, out = order(variant)
    first, last = "model.0", f"model.{2 * (variant.depth - 1)}"
    return weights | {
        f"{first}.weight": np.ascontiguousarray(weights[f"{first}.weight"][:, entry]),
        f"{last}.weight": np.ascontiguousarray(weights[f"{last}.weight"][out]),
        f"{last}.bias": np.ascontiguousarray(weights[f"{last}.bias"][out]),
    }


def _entrance(variant: Variant) -> tuple[list[onnx.NodeProto], str]:
    """Return the nodes before the first convolution, and what that one reads."""
    if variant.shuffle == 1:
        return [], "image"
    fold = helper.make_node(
        "SpaceToDepth", ["image"], ["folded"], blocksize=variant.shuffle
    )
    if not variant.conditional:
        return [fold], "folded"
    return [
        fold,
        helper.make_node("Shape", ["folded"], ["places"], start=2),
        helper.make_node("Concat", ["one_one", "places"], ["plane"], axis=0),
        helper.make_node("Expand", ["sigma", "plane"], ["level"]),
        helper.make_node("Concat", ["folded", "level"], ["seen"], axis=1),
    ], "seen"


def _layer(index: int, before: str, *, final: bool) -> list[onnx.NodeProto]:
    name = f"model.{2 * index}"
    convolution = helper.make_node(
        "Conv",
        [before, f"{name}.weight", f"{name}.bias"],
        [f"conv{index}"],
        kernel_shape=[3, 3],
        pads=[1, 1, 1, 1],
    )
    if final:
        return [convolution]
    return [convolution, helper.make_node("Relu", [f"conv{index}"], [f"relu{index}"])]


def _exit(variant: Variant, last: str) -> list[onnx.NodeProto]:
    if variant.shuffle == 1:
        return [helper.make_node("Sub", ["image", last], ["denoised"])]
    return [
        helper.make_node(
            "DepthToSpace", [last], ["noise"], blocksize=variant.shuffle, mode="DCR"
        ),
        helper.make_node("Sub", ["image", "noise"], ["denoised"]),
    ]


def _shapes(variant: Variant) -> dict[str, NDArray[np.int64]]:
    return {"one_one": np.ones(2, np.int64)} if variant.conditional else {}


def _inputs(variant: Variant) -> list[onnx.ValueInfoProto]:
    sigma = helper.make_tensor_value_info("sigma", TensorProto.FLOAT, ["n", 1, 1, 1])
    return [_picture("image"), sigma] if variant.conditional else [_picture("image")]


def _picture(name: str) -> onnx.ValueInfoProto:
    shape: list[str | int | None] = ["n", 3, "height", "width"]
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
