"""The shape of the house: sizes that keep every file readable in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

LONG_FILES: dict[str, str] = {}
"""Files that may be longer, each with its reason."""

TALKING_ROOMS = {"src/pixtools/engine/__init__.py"}
"""Rooms whose `__init__` shows a public face, lazily (PEP 562)."""


def test_a_file_is_read_in_one_sitting() -> None:
    """A file has fewer than 300 lines, unless the list says why not."""
    lengths = {_name(path): len(_text(path).splitlines()) for path in _sources()}
    long = {name: lines for name, lines in lengths.items() if lines >= MAX_FILE_LINES}
    assert long.keys() == LONG_FILES.keys(), long


def test_a_function_fits_on_a_screen() -> None:
    """A function has at most 40 lines, its docstring not counted."""
    long = {
        f"{_name(path)}:{function.lineno} {function.name}": lines
        for path in _sources()
        for function, lines in _functions(_text(path))
        if lines > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_entering_a_room_runs_nothing() -> None:
    """Each `__init__` is empty; a public face is lazy."""
    doors = {_name(path): path for path in _sources() if path.name == "__init__.py"}
    talking = {name for name, path in doors.items() if ast.parse(_text(path)).body}
    assert talking <= TALKING_ROOMS


def test_a_folder_of_tests_says_what_its_tests_cost() -> None:
    """Tests are sorted by cost first."""
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir()}
    assert folders - {"__pycache__", "fixtures"} <= {
        "unit",
        "contract",
        "golden",
        "integration",
        "acceptance",
        "chaos",
        "ui",
    }


def test_a_docstring_is_not_counted_as_code() -> None:
    """The ruler itself: two statements under a two-line docstring are three lines."""
    source = 'def f() -> int:\n    """One.\n    Two."""\n    x = 1\n    return x\n'
    assert [lines for _, lines in _functions(source)] == [3]


def _sources() -> list[Path]:
    folders = ("src", "tests", "benchmarks", "scripts")
    return sorted(path for name in folders for path in (ROOT / name).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _functions(
    source: str,
) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, _lines(node)


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count lines from `def` to the end, without the docstring."""
    whole = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is None:
        return whole
    return whole - ((first.end_lineno or first.lineno) - first.lineno + 1)
