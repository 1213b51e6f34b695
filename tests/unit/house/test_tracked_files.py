"""What may stand in the repository: nothing of one machine, no download addresses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))

# Written in two halves, or this file would be the first offender.
REGISTRIES = re.compile(
    r"pypi\." + r"(org|python)|files\.python" + r"hosted|registry\.npm" + r"js|"
    r"deb\.deb" + r"ian\.org|--(extra-)?index-" + r"url|\"resolved\": *\"http",
)
MACHINE_PATHS = re.compile(
    r"/(wo" + r"rk)/(main|shared)|/ro" + r"ot/|/ho" + r"me/\w+/|bash_" + r"jobs"
)
DOWNLOADS = re.compile(r"https?://\S+\.(whl|tgz|tar\.gz|zip|onnx|deb)\b")


def test_no_tracked_file_names_a_registry() -> None:
    """Packages are named by name and version; where from is the machine's affair."""
    assert _offenders(REGISTRIES) == {}


def test_no_tracked_file_holds_a_download_address() -> None:
    """Nothing is fetched from an address that stands in a file."""
    assert _offenders(DOWNLOADS) == {}


def test_no_tracked_file_holds_a_path_of_one_machine() -> None:
    """A checkout works wherever it lies."""
    assert _offenders(MACHINE_PATHS) == {}


@pytest.mark.parametrize(
    ("pattern", "offence"),
    [
        (REGISTRIES, "index-url = https://py" + "pi.org/simple"),
        (REGISTRIES, '"resol' + 'ved": "https://example.org/left-pad"'),
        (DOWNLOADS, "https://example.org/a/model." + "onnx"),
        (MACHINE_PATHS, "see /ho" + "me/ada/photos"),
    ],
)
def test_the_patterns_find_what_they_are_for(
    pattern: re.Pattern[str], offence: str
) -> None:
    """The rulers themselves."""
    assert pattern.search(offence)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_locked_requirement_has_a_version_and_hashes(lock: Path) -> None:
    """What is installed is what was locked, byte for byte."""
    entries = re.split(r"\n(?=\S)", _without_comments(lock.read_text()).strip())
    pinned = re.compile(r"^[a-z0-9][a-z0-9._-]*==[^\s;]+( ; [^\\]+)? \\\n")
    hashed = re.compile(r"(\s+--hash=sha256:[0-9a-f]{64}( \\)?)+$")
    for entry in entries:
        head = pinned.match(entry)
        assert head, entry
        assert hashed.fullmatch(entry[head.end() - 1 :]), entry


def test_all_lock_files_agree_on_versions() -> None:
    """All of them are installed into one .venv."""
    pins: dict[str, set[str]] = {}
    for lock in LOCKS:
        found = re.findall(r"^(\S+?)==(.+) \\$", lock.read_text(), re.MULTILINE)
        for name in dict(found):
            versions = ", ".join(sorted(rest for other, rest in found if other == name))
            pins.setdefault(name, set()).add(versions)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


def _without_comments(text: str) -> str:
    return "\n".join(x for x in text.splitlines() if not x.lstrip().startswith("#"))


def _offenders(pattern: re.Pattern[str]) -> dict[str, str]:
    return {
        name: found.group()
        for name in _tracked()
        if (found := pattern.search(_text(ROOT / name)))
    }


def _tracked() -> list[str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("Only a git checkout knows which files are tracked.")
    listing = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    names = listing.stdout.decode().split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
