from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import pyvips

from pixtools.testing.corpus import all_sources, heic_at_hand


def test_the_corpus_has_one_of_everything(sources: dict[str, Path]) -> None:
    suffixes = {path.suffix for path in sources.values()}
    assert suffixes - {".heic"} == {".jpg", ".png", ".webp", ".avif", ".gif", ".tif"}
    assert (".heic" in suffixes) == heic_at_hand()
    assert len(set(sources.values())) == len(sources) > 100


def test_every_source_has_pixels(sources: dict[str, Path]) -> None:
    for path in sources.values():
        if path.suffix != ".heic":
            picture = pyvips.Image.new_from_file(str(path), fail_on="error")
            assert picture.copy_memory().width > 0


def test_the_camera_s_photo_has_its_size(photo_2mp: Path) -> None:
    picture = pyvips.Image.new_from_file(str(photo_2mp))
    assert (picture.width, picture.height) == (1600, 1200)
    assert 300_000 < photo_2mp.stat().st_size < 1_000_000


def test_hostile_files_are_there(hostile_paths: dict[str, Path]) -> None:
    assert hostile_paths["empty"].stat().st_size == 0


def test_without_its_libraries_the_module_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['PIL'] = None\n"
        "try:\n    import pixtools.testing.images\n"
        "except ImportError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "Expected the test libraries for making images but PIL" in done.stdout


def test_without_pillow_heif_there_is_no_heic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtools.testing.corpus.heic_at_hand", lambda: False)
    names = all_sources(tmp_path)
    assert not any(name.startswith("heic") for name in names)
