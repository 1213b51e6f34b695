"""Networks, opened on first use and kept as long as the process lives."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from pixtools.domain.errors import DenoiserUnusable
from pixtools.domain.plan import Model
from pixtools.engine.config import EngineConfig
from pixtools.engine.denoise.weights import File, Weights, available, weights_of

if TYPE_CHECKING:
    import numpy as np
    import onnxruntime as ort
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_MOST_THREADS: Final = 4
_PROVIDERS: Final = ("CUDAExecutionProvider", "CPUExecutionProvider")


class Network:
    """A network that takes noise out of pictures."""

    def __init__(self, weights: Weights, threads: int) -> None:
        """Open all its files; raises DenoiserUnusable."""
        self.weights = weights
        self._sessions = [_opened(weights, file, threads) for file in weights.files]

    def clean(self, picture: Floats, sigma: float) -> Floats:
        """Take noise of about `sigma` (0..1) out of a 3 × height × width picture.

        Values are 0..1, sides multiples of the card's. A network that knows nothing
        of `sigma` may still have weights for strong noise and for weak. Raises
        DenoiserUnusable.
        """
        import numpy as np

        given: dict[str, Any] = {"image": picture[None]}
        if self.weights.conditional:
            given["sigma"] = np.full((1, 1, 1, 1), sigma, np.float32)
        try:
            (answer,) = self._for(sigma).run(["denoised"], given)
        except Exception as error:  # ONNX Runtime's errors have no root of their own
            raise _unusable(self.weights, "it can't be run") from error
        cleaned: Floats = answer[0]
        if cleaned.shape != picture.shape:
            raise _unusable(self.weights, "its answer has another size")
        return cleaned

    def _for(self, sigma: float) -> ort.InferenceSession:
        passed = (sigma * 255.0 >= file.below for file in self.weights.files)
        return self._sessions[sum(passed)]


class Denoisers:
    """The networks of this process; nothing is opened before it is needed."""

    def __init__(self, config: EngineConfig) -> None:
        """Say where the weights are and how many threads may run them."""
        self._config = config
        self._open: dict[Model, Network] = {}

    def names(self) -> tuple[Model, ...]:
        """The networks that are there, best first."""
        return available(self._config.models_dir)

    def choose(self, asked: Model | None) -> Model:
        """The network asked for, or the best; raises DenoiserUnusable."""
        there = self.names()
        if asked in there:
            return asked
        if asked is None and there:
            return there[0]
        raise DenoiserUnusable(
            f"Expected one of the denoisers that are here "
            f"({', '.join(there) or 'none'}) but received {asked or 'no name'}."
        )

    def open(self, asked: Model | None) -> Network:
        """A network, ready to run; raises DenoiserUnusable."""
        name = self.choose(asked)
        if name not in self._open:
            config = self._config
            weights = weights_of(name, config.models_dir, config.precision)
            self._open[name] = Network(weights, config.denoise_threads or _threads())
        return self._open[name]


def _threads() -> int:
    return min(len(os.sched_getaffinity(0)), _MOST_THREADS)


def _opened(weights: Weights, file: File, threads: int) -> ort.InferenceSession:
    # A decoder of hostile images carries neither of these before it has to.
    import hashlib

    import onnxruntime as ort

    try:
        raw = file.path.read_bytes()
    except OSError as error:
        raise _unusable(weights, "its file can't be read") from error
    if hashlib.sha256(raw).hexdigest() != file.sha256:
        raise _unusable(weights, "its file is not the one that its card describes")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Layers' memory is used again from tile to tile. Given back each time, it cost a
    # sixth to a third of the processor time, and in malloc's pieces thrice the room.
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    there = [name for name in _PROVIDERS if name in ort.get_available_providers()]
    try:
        session = ort.InferenceSession(raw, options, providers=there)
    except Exception as error:  # ONNX Runtime's errors have no root of their own
        raise _unusable(weights, "its file is not a network") from error
    wanted = {"image", "sigma"} if weights.conditional else {"image"}
    if {part.name for part in session.get_inputs()} != wanted:
        raise _unusable(weights, "its inputs are not a denoiser's")
    return session


def _unusable(weights: Weights, reason: str) -> DenoiserUnusable:
    return DenoiserUnusable(
        f"The weights of the denoiser {weights.name} can't be used: {reason}; "
        "import them again or remove them."
    )
