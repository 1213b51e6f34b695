"""What the `pixtools` script begins with."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from pixtools.__main__ import main


class Interrupted(ModuleType):
    """A module at which somebody presses Ctrl-C while it is loaded."""

    def __getattr__(self, name: str) -> object:
        raise KeyboardInterrupt


def test_ctrl_c_while_it_loads_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which takes most of a second, and people change their minds."""
    loading = Interrupted("pixtools.cli.main")
    monkeypatch.setitem(sys.modules, "pixtools.cli.main", loading)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
