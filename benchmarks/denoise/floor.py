"""How fast one core multiplies matrices here: no network of ours can be faster.

Prints multiplications per second of processor time by precision, as JSON.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

SIDE: Final = 1152
"""9 × 64 × 2: about as deep as the sums of the networks' convolutions are long."""

_TIMES: Final = 7


def main() -> None:
    """Multiply, several times, and print the medians."""
    chance = np.random.default_rng(1)
    one, other = chance.standard_normal((2, SIDE, SIDE)).astype(np.float32)
    rates = {"float32": _rate(lambda: one @ other)}
    if find_spec("onnx") is not None:
        rates["int8"] = _rate(_of_bytes())
    print(json.dumps(rates))


def _rate(multiply: Callable[[], Any]) -> float:
    multiply()
    times = []
    for _ in range(_TIMES):
        started = time.process_time()
        for _ in range(5):
            multiply()
        times.append((time.process_time() - started) / 5)
    return SIDE**3 / statistics.median(times)


def _of_bytes() -> Callable[[], Any]:
    """The same product of bytes, by ONNX Runtime."""
    import onnxruntime
    from onnx import TensorProto, helper

    chance = np.random.default_rng(1)
    given = {
        "a": chance.integers(0, 255, (SIDE, SIDE), np.uint8),
        "b": chance.integers(-127, 127, (SIDE, SIDE), np.int8),
    }
    kinds = {"a": TensorProto.UINT8, "b": TensorProto.INT8, "c": TensorProto.INT32}
    infos = {
        name: helper.make_tensor_value_info(name, kind, [SIDE, SIDE])
        for name, kind in kinds.items()
    }
    node = helper.make_node("MatMulInteger", ["a", "b"], ["c"])
    graph = helper.make_graph([node], "bytes", [infos["a"], infos["b"]], [infos["c"]])
    made = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(made.SerializeToString(), options)
    return lambda: session.run(["c"], given)


if __name__ == "__main__":
    main()
