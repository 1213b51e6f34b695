"""Weights of the denoiser, looked at and imported by a process that is thrown away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from pixtools.domain.errors import InternalError, WeightsUnusable, every_error
from pixtools.domain.plan import Model
from pixtools.domain.weights import Import, Weights
from pixtools.workers.launch import environment

CHILD: Final = "pixtools.workers.weights_child"
_SECONDS: Final = 120.0


def import_weights(source: Path, folder: Path, name: Model | None = None) -> Import:
    """Convert a checkpoint, try it, and put it into `folder` for the engine.

    Raises:
        WeightsUnusable: It can't be read, is another network's, or takes no noise away.
        ConfigurationInvalid: The folder can't be written.
    """
    asked = {"verb": "import", "source": str(source.absolute()), "name": name}
    return Import(**_asked(folder, asked))


def installed(folder: Path) -> list[Weights]:
    """All weights that are here, best network first, imported before shipped."""
    return [Weights(**found) for found in _asked(folder, {"verb": "list"})]


def remove_weights(folder: Path, name: Model) -> None:
    """Take imported weights away; raises InvalidRequest if there are none."""
    _asked(folder, {"verb": "remove", "name": name})


def _asked(folder: Path, asked: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
    told = json.dumps(asked | {"folder": str(folder.absolute())})
    try:
        child = subprocess.run(
            (sys.executable, "-P", "-s", "-m", CHILD, told),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(os.environ) | {"OPENBLAS_NUM_THREADS": "1"},
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise WeightsUnusable(
            f"The file was not read within {_SECONDS:.0f} seconds."
        ) from None
    return _answer(child)


def _answer(child: subprocess.CompletedProcess[bytes]) -> Any:  # noqa: ANN401 - JSON
    """What the child said last; raises what it says, or that it died."""
    if child.returncode < 0:
        raise WeightsUnusable(
            f"The file ended the process that read it (signal {-child.returncode}): it "
            "takes more memory or time than any weights do."
        )
    try:
        said = json.loads(child.stdout.rpartition(b"\n{")[2].join((b"{", b"")))
    except ValueError:
        trouble = child.stderr.decode(errors="replace").strip().splitlines()
        raise InternalError(
            f"Weights could not be looked at: {trouble[-1] if trouble else 'no word'}"
        ) from None
    if "done" in said:
        return said["done"]
    raise every_error()[said["code"]](said["detail"])
