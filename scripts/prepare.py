"""Prepare this checkout: Python packages into .venv, Debian packages for the tests.

    python3 scripts/prepare.py run | cluster | test | bench | loadtest

Says what it fetches before it fetches it, and does nothing where nothing has changed.
Stands on the standard library alone, because it runs before anything is installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PEERS = ROOT / "benchmarks" / "peers"

LOCKS = {
    "run": ["runtime.txt"],
    "cluster": ["cluster.txt"],
    "test": ["dev.txt"],
    "bench": ["bench.txt"],
    "loadtest": ["cluster.txt", "bench.txt"],
}
DEBIAN = {
    "run": {},
    "cluster": {},
    "test": {
        "chromium": "the browser that the page's tests drive",
        "fonts-dejavu-core": "the font that Chromium draws the page with",
        "libatomic1": "a library of the driver between the tests and Chromium",
    },
    "bench": {
        "libatomic1": "a library of the Node that sharp runs in",
        "libvips-tools": "vipsthumbnail, one of the peers",
    },
    "loadtest": {},
}
NODE_MAJOR = 20


class CannotPrepare(Exception):
    """Something that only the person at the keyboard can put right."""


def main(purpose: str) -> None:
    """Make this checkout fit for `purpose`: run, cluster, test or bench."""
    environment()
    python_packages("build.txt")
    for lock in LOCKS[purpose]:
        python_packages(lock)
    project()
    debian_packages(DEBIAN[purpose], required=bool(os.environ.get("CI")))
    if purpose in ("cluster", "loadtest", "test"):
        run([sys.executable, "-m", "scripts.services", "install"])
    if purpose == "bench":
        node()


def environment() -> None:
    """Make .venv with this interpreter; make it anew when the checkout has moved."""
    if _done("place", str(VENV)) and _runs(PYTHON):
        return
    if VENV.exists() and (_mark_of("place").exists() or not _runs(PYTHON)):
        say(f"{VENV.name} no longer works here, so it is made anew.")
        shutil.rmtree(VENV)
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        debian_packages({package: "Python's own way to make .venv"}, required=True)
    if not PYTHON.exists():
        say(f"Making {VENV.name} with Python {sys.version.split()[0]}.")
        # A new process, because this one has looked for ensurepip already.
        run([sys.executable, "-m", "venv", VENV])
    _mark("place", str(VENV))


def python_packages(lock_name: str) -> None:
    """Install what a lock file names, each file checked against its hashes."""
    lock = ROOT / "requirements" / lock_name
    content = lock.read_text()
    if _done(lock_name, content):
        return
    missing = _missing(content)
    if missing:
        say(
            f"Fetching {len(missing)} packages from the Python package index "
            f"(requirements/{lock_name}): {', '.join(missing)}."
        )
        _pip("--require-hashes", "--no-deps", "--requirement", lock)
    _mark(lock_name, content)


def project() -> None:
    """Install this checkout itself, editable: nothing is fetched for that."""
    declared = json.dumps(
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    )
    if _done("project", declared):
        return
    _pip("--quiet", "--no-deps", "--editable", ROOT)
    _mark("project", declared)


def debian_packages(wanted: dict[str, str], *, required: bool) -> None:
    """Install the Debian packages that are missing, as root or through sudo."""
    missing = {name: why for name, why in wanted.items() if not _has_debian(name)}
    if not missing:
        return
    reasons = "; ".join(f"{name} ({why})" for name, why in missing.items())
    root = become_root()
    if root is None:
        sentence = (
            f"Missing Debian packages: {reasons}. They need root: "
            f"apt-get install {' '.join(missing)}"
        )
        if required:
            raise CannotPrepare(sentence)
        say(sentence)
        say("Going on without them: the tests that need them are SKIPPED.")
        return
    say(f"Installing Debian packages: {reasons}.")
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    # One unreachable list of several is no reason to stop; the install will tell.
    subprocess.run([*apt, "update", "-q"], check=False)
    run([*apt, "install", "-y", "-q", "--no-install-recommends", *missing])


def node() -> None:
    """Give the benchmarks' peers a Node and their packages."""
    if not (PEERS / "package.json").exists():
        return
    if _node_major() < NODE_MAJOR:
        say(f"The peer sharp needs Node {NODE_MAJOR} or newer; it comes from a wheel.")
        python_packages("node.txt")
    lock = (PEERS / "package-lock.json").read_text()
    if _done("peers", lock):
        return
    wanted = json.loads((PEERS / "package.json").read_text())["dependencies"]
    names = ", ".join(f"{name} {version}" for name, version in wanted.items())
    say(f"Fetching from the npm registry: {names}, and what they need here.")
    quiet = ["--no-audit", "--no-fund", "--no-update-notifier"]
    run(["npm", "ci", *quiet], cwd=PEERS)
    _mark("peers", lock)


def say(sentence: str) -> None:
    """Print a sentence to the person, at most 80 columns wide."""
    print(textwrap.fill(sentence, 80, break_on_hyphens=False), flush=True)


def run(command: list[str | Path], cwd: Path = ROOT) -> None:
    """Run a command, its output shown as it comes."""
    try:
        subprocess.run(command, cwd=cwd, env=_environ(), check=True)
    except (OSError, subprocess.CalledProcessError) as failure:
        line = " ".join(str(word) for word in command)
        raise CannotPrepare(f"This command failed, see above: {line}") from failure


def become_root() -> list[str] | None:
    """Return the words before a command that make it run as root, or None."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    if sys.stdin.isatty():
        return ["sudo"]
    silent = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if silent.returncode == 0 else None


def _pip(*arguments: str | Path) -> None:
    # pyvips-binary carries the compiled half of pyvips; a second one, built against
    # this machine's libvips, would overwrite it. Without pkg-config none is built.
    os.environ["PKG_CONFIG"] = "false"
    run([PYTHON, "-m", "pip", "install", "--no-build-isolation", *arguments])


def _environ() -> dict[str, str]:
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def _missing(lock: str) -> list[str]:
    """Return `name version` of each locked package that .venv has not got."""
    question = (
        "import json, sys\n"
        "from importlib.metadata import PackageNotFoundError, version\n"
        "from pip._vendor.packaging.requirements import Requirement\n"
        "def has(wanted):\n"
        "    try: return version(wanted.name) in wanted.specifier\n"
        "    except PackageNotFoundError: return False\n"
        "wanted = [Requirement(line) for line in json.load(sys.stdin)]\n"
        "wanted = [w for w in wanted if not w.marker or w.marker.evaluate()]\n"
        "print(json.dumps([str(w).split(';')[0] for w in wanted if not has(w)]))\n"
    )
    lines = re.findall(r"^([a-z0-9].*?) \\$", lock, flags=re.MULTILINE)
    answer = subprocess.run(
        [PYTHON, "-c", question],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    return [name.replace("==", " ") for name in json.loads(answer.stdout)]


def _runs(python: Path) -> bool:
    try:
        return subprocess.run([python, "-c", "import pip"], check=False).returncode == 0
    except OSError:
        return False


def _has_debian(package: str) -> bool:
    if shutil.which("dpkg-query") is None:
        return shutil.which(package) is not None
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    return answer.stdout == "installed"


def _node_major() -> int:
    try:
        answer = subprocess.run(
            ["node", "--version"],
            env=_environ(),
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return 0
    return int(answer.stdout.strip().lstrip("v").split(".")[0])


def _done(step: str, content: str) -> bool:
    mark = _mark_of(step)
    return mark.exists() and mark.read_text() == _digest(content)


def _mark(step: str, content: str) -> None:
    _mark_of(step).write_text(_digest(content))


def _mark_of(step: str) -> Path:
    return VENV / f".prepared-{step}"


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except CannotPrepare as reason:
        sys.exit(str(reason))
    except KeyboardInterrupt:
        sys.exit("Stopped. The next `make` goes on from here.")
