"""Who carries what: each process imports only what its work needs."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest

PIXELS = {"numpy", "onnxruntime", "PIL", "pillow_heif", "pyvips", "_libvips"}
CELERY = {"billiard", "celery", "kombu"}
SERVICE = {
    "alembic",
    "fastapi",
    "httpx2",
    "prometheus_client",
    "pydantic",
    "rich",
    "sqlalchemy",
    "starlette",
    "structlog",
    "typer",
    "uvicorn",
}


@pytest.mark.parametrize(
    ("module", "never"),
    [
        pytest.param("pixtools", PIXELS | SERVICE, id="the package itself"),
        pytest.param("pixtools.__main__", PIXELS | SERVICE, id="python -m pixtools"),
        pytest.param("pixtools.api.app", PIXELS, id="the API"),
        pytest.param("pixtools.wiring", PIXELS, id="the composed service"),
        pytest.param("pixtools.queue.broker", PIXELS | CELERY, id="asking the broker"),
        pytest.param(
            "pixtools.wiring.cluster",
            PIXELS | CELERY | {"fastapi", "starlette", "uvicorn"},
            id="a scheduler",
        ),
        pytest.param(
            "pixtools.queue.worker",
            PIXELS | {"fastapi", "starlette", "uvicorn"},
            id="a worker",
        ),
        pytest.param("pixtools.cli.main", PIXELS | CELERY, id="the command line"),
        pytest.param("pixtools.engine", PIXELS | SERVICE, id="the engine's face"),
        pytest.param("pixtools.workers.child", SERVICE, id="the pixel child"),
        pytest.param("pixtools.workers.weights_child", SERVICE, id="reading weights"),
        pytest.param("pixtools.wiring.models", PIXELS, id="asking for weights"),
        pytest.param("pixtools.domain.plan", PIXELS | SERVICE, id="the plan"),
    ],
)
def test_importing_a_module_does_not_load(module: str, never: set[str]) -> None:
    """A process that imports `module` has loaded none of `never`."""
    assert _loaded_by(f"import {module}") & never == set()


def test_a_library_user_renders_without_the_service() -> None:
    """`from pixtools.engine import render` brings libvips and nothing of the service."""
    loaded = _loaded_by("from pixtools.engine import render")
    assert "pyvips" in loaded
    assert loaded & SERVICE == set()


def test_pyvips_speaks_to_the_bundled_library_in_c() -> None:
    """The compiled binding of pyvips-binary is in use, not one of this machine's."""
    question = "import pyvips, _libvips; print(pyvips.API_mode, _libvips.__file__)"
    mode, path = _python(question).split()
    assert mode == "True"
    binding = importlib.util.find_spec("pyvips")
    assert binding is not None
    assert binding.origin is not None
    assert path.startswith(binding.origin.removesuffix("pyvips/__init__.py"))


def _loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh process holds after `statement`."""
    names = _python(f"{statement}\nimport sys, json\nprint(json.dumps([*sys.modules]))")
    return {name.partition(".")[0] for name in json.loads(names)}


def _python(program: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout
