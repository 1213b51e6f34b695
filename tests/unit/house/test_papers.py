"""The papers of the house: decisions, licences and names that others rely on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
HEADINGS = ["Context", "Decision", "Consequences", "Alternatives", "References"]
PAGE = 60
"""Lines of text that fit on a page."""


@pytest.mark.parametrize("record", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_why_on_one_page(record: Path) -> None:
    """Context, decision, consequences, alternatives, references; no more than a page."""
    text = record.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert len(text.splitlines()) <= PAGE


def test_decisions_are_numbered_without_gaps() -> None:
    """One sequence, so that a number is a name."""
    numbers = [int(record.name[:4]) for record in DECISIONS]
    assert numbers == list(range(len(numbers)))


def test_links_between_papers_lead_somewhere() -> None:
    """A reference that names a file names one that is there."""
    papers = [*DECISIONS, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{paper.name}: {target}"
        for paper in papers
        for target in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", paper.read_text())
        if not (paper.parent / target).exists()
    ]
    assert broken == []


def test_paths_in_papers_exist() -> None:
    """Code that moved takes its mention along."""
    named = re.compile(r"`((?:src|tests|scripts|docs|requirements)/[\w./-]+)`")
    missing = [
        f"{paper.name}: {path}"
        for paper in [*DECISIONS, *ROOT.glob("*.md")]
        for path in named.findall(paper.read_text(encoding="utf-8"))
        if not (ROOT / path).exists()
    ]
    assert missing == []


def test_every_package_of_the_service_stands_in_the_notice() -> None:
    """Whoever adds a dependency says under which terms it is used."""
    lock = (ROOT / "requirements" / "cluster.txt").read_text()
    notice = (ROOT / "NOTICE").read_text()
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    named = set(re.findall(r"^  ([a-z0-9-]+) {2,}", notice, re.MULTILINE))
    assert locked - named == set()


def test_every_declared_dependency_is_locked() -> None:
    """`make lock` was run after the last change of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for lock_name, wanted in {
        "runtime.txt": project["dependencies"],
        "cluster.txt": [*project["dependencies"], *extras["cluster"]],
        "dev.txt": [
            *project["dependencies"],
            *(name for extra in ("test", "heic", "cluster") for name in extras[extra]),
        ],
        "bench.txt": [*project["dependencies"], *extras["bench"]],
    }.items():
        lock = (ROOT / "requirements" / lock_name).read_text()
        locked = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
        names = {re.split(r"[>=\[; ]", requirement)[0] for requirement in wanted}
        assert names - locked - {"pixtools"} == set(), lock_name
