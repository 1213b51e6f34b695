"""Write requirements/*.txt from pyproject.toml: every version and hash, no address.

    .venv/bin/python scripts/lock.py [--upgrade]

Without --upgrade a version changes only where pyproject.toml asks for it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Later files take the versions of earlier ones, so that all fit into one .venv.
LOCKS = {
    "runtime.txt": ["pyproject.toml"],
    "cluster.txt": [
        *("pyproject.toml", "--extra", "cluster", "-c", "requirements/runtime.txt"),
    ],
    "dev.txt": ["pyproject.toml", "--extra", "dev", "-c", "requirements/cluster.txt"],
    "bench.txt": ["pyproject.toml", "--extra", "bench", "-c", "requirements/dev.txt"],
    "build.txt": ["--group", "build", "-c", "requirements/dev.txt"],
    "node.txt": ["--group", "node"],
}
COMPILE = [
    *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-config"),
    *("--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-emit-find-links", "--system-certs"),
    *("--custom-compile-command", "make lock"),
]
# pip's own settings, in the words that uv knows them by.
SETTINGS = {"PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_CERT": "SSL_CERT_FILE"}


def main(arguments: list[str]) -> None:
    """Compile each lock file and say which it was."""
    translated = {
        uv: os.environ[pip] for pip, uv in SETTINGS.items() if pip in os.environ
    }
    for name, sources in LOCKS.items():
        print(f"Locking requirements/{name} against the Python package index.")
        output = ["--output-file", f"requirements/{name}"]
        command = [*COMPILE, *sources, *output, *arguments]
        subprocess.run(command, cwd=ROOT, env={**translated, **os.environ}, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
