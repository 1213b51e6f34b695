"""`python -m pixtools.workers.weights_child`: reads one file of weights, and ends.

Its only argument is what to do, as JSON; its last line on standard output is what came
of it. A stranger's file is read here, where nothing else is that it could harm.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from pixtools.domain.errors import PixtoolsError
from pixtools.domain.limits import MIB, Limits
from pixtools.engine.denoise.importing import import_weights, remove_weights
from pixtools.engine.denoise.shelf import shelf
from pixtools.workers.bounds import bound_job, bound_process, data_bytes

_LIMITS: Final = Limits(max_pixels=1, memory_budget_bytes=384 * MIB)
_CPU_SECONDS: Final = 60.0


def main() -> None:
    """Do what the parent says."""
    if len(sys.argv) != 2:
        sys.exit("This process is started by PixTools itself; try `pixtools models`.")
    bound_process()
    bound_job(_LIMITS, _CPU_SECONDS, data_bytes())
    try:
        said: dict[str, Any] = {"done": _done(json.loads(sys.argv[1]))}
    except PixtoolsError as error:
        said = {"code": error.code, "detail": error.detail}
    except MemoryError:
        said = {
            "code": "weights_unusable",
            "detail": "This file needs more memory than any weights do.",
        }
    sys.stdout.write(f"\n{json.dumps(said)}\n")


def _done(asked: dict[str, Any]) -> object:
    folder = Path(asked["folder"])
    if asked["verb"] == "import":
        wanted = asked["name"]
        return asdict(import_weights(Path(asked["source"]), folder, wanted))
    if asked["verb"] == "remove":
        remove_weights(folder, asked["name"])
    return [asdict(weights) for weights in shelf(folder)]


if __name__ == "__main__":
    main()
