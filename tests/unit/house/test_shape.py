"""The shape of the house: sizes that keep every file readable in one go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

Function = ast.FunctionDef | ast.AsyncFunctionDef

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

LONG_FILES = {
    "src/pixtools/domain/errors.py": "one tree of errors, drawn and read as a whole",
}
"""Files that may be longer, each with its reason."""

TALKING_ROOMS = {"src/pixtools/engine/__init__.py"}
"""Rooms whose `__init__` shows a public face, lazily (PEP 562)."""


def test_a_file_is_read_in_one_sitting() -> None:
    """A file has fewer than 300 lines, unless the list says why not."""
    lengths = {_name(path): len(_text(path).splitlines()) for path in _sources()}
    long = {name: lines for name, lines in lengths.items() if lines >= MAX_FILE_LINES}
    assert long.keys() == LONG_FILES.keys(), long


def test_a_function_fits_on_a_screen() -> None:
    """A function has at most 40 lines, its docstring not counted.

    A command's signature declares its flags, so there the body alone counts.
    """
    long = {
        f"{_name(path)}:{function.lineno} {function.name}": lines
        for path in _sources()
        for function in _functions(_text(path))
        if (lines := _lines(function, body_only="cli" in path.parts))
        > MAX_FUNCTION_LINES
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
    function = next(_functions(source))
    assert _lines(function) == 3
    assert _lines(function, body_only=True) == 2


def _sources() -> list[Path]:
    folders = ("src", "tests", "benchmarks", "scripts")
    return sorted(path for name in folders for path in (ROOT / name).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _functions(source: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield node


def _lines(function: Function, *, body_only: bool = False) -> int:
    """Count lines to the end, without the docstring, from `def` or from the body."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    signature = 0 if body_only else function.body[0].lineno - function.lineno
    return signature + _end(body[-1]) - body[0].lineno + 1


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno
