"""Flags say what the declaration says, and make the pipeline that they name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pixtools.cli.flags import Asked, asked
from pixtools.cli.main import build
from pixtools.domain import plan
from pixtools.domain.errors import InvalidPipeline
from pixtools.domain.operations.actions import Picture
from pixtools.domain.operations.overlay import Watermark
from pixtools.domain.operations.restore import Denoising

UNFLAGGED = {"id", "action", "format", "watermark", "denoise"}


def wanted(
    to: str | None = None,
    preset: str | None = None,
    pipeline: Path | None = None,
    *,
    metadata: bool = False,
    **picture: Any,
) -> Asked:
    return asked(
        to=to, preset=preset, pipeline=pipeline, metadata=metadata, picture=picture
    )


def help_of(command: str) -> str:
    answer = CliRunner().invoke(build(), [command, "--help"], env={"COLUMNS": "80"})
    assert answer.exit_code == 0
    return answer.output


@pytest.mark.parametrize("command", ["process", "submit"])
def test_every_declared_option_is_a_flag(command: str) -> None:
    shown = help_of(command)
    names = [name for name in Picture.model_fields if name not in UNFLAGGED]
    names += [f"watermark_{name}" for name in Watermark.model_fields]
    names += ["denoise", *Denoising.model_fields]
    assert [n for n in names if "--" + n.replace("_", "-") not in shown] == []


@pytest.mark.parametrize("command", ["process", "submit", "serve", "migrate", "doctor"])
def test_help_fits_80_columns_and_has_examples(command: str) -> None:
    shown = help_of(command)
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert f"pixtools {command}" in shown


def test_a_range_is_checked_where_it_is_typed() -> None:
    call = ["process", "a.jpg", "--to", "webp", "--quality", "101"]
    answer = CliRunner().invoke(build(), call)
    assert answer.exit_code == 2
    assert "--quality" in answer.output


def test_each_format_becomes_a_step() -> None:
    steps = wanted("webp, JPEG,webp", width=10).pipeline.canonical()
    assert [(s["id"], s["action"], s["width"]) for s in steps] == [
        ("webp", "resize", 10),
        ("jpg", "resize", 10),
    ]


@pytest.mark.parametrize(
    ("flags", "action"),
    [
        ({"to": "png"}, "convert"),
        ({"width": 5}, "resize"),
        ({"watermark_text": "©"}, "watermark"),
        ({"watermark_text": "©", "height": 4}, "resize"),
        ({"denoise": True}, "denoise"),
        ({"denoise": True, "width": 9}, "denoise"),
        ({"denoise": True, "to": "webp"}, "convert"),
        ({"denoise": True, "to": "webp", "width": 9}, "resize"),
    ],
)
def test_flags_choose_the_action(flags: dict[str, Any], action: str) -> None:
    assert wanted(**flags).pipeline.steps[0].action == action


def test_noise_is_removed_as_the_flags_say() -> None:
    how: dict[str, Any] = {"denoise": True, "model": "fast", "strength": 0.0}
    told = [
        (output.encode.format, output.denoise)
        for to in (None, "webp,jpg")
        for output in wanted(to, **how).pipeline.plan("jpg").outputs
    ]
    fast = plan.Denoise(model="fast", strength=0.0)
    assert told == [("png", fast), ("webp", fast), ("jpg", fast)]
    (plain,) = wanted(denoise=True).pipeline.plan("jpg").outputs
    assert plain.denoise == plan.Denoise()


def test_a_preset_brings_its_steps_and_metadata_joins_them() -> None:
    steps = wanted(preset="gallery", metadata=True).pipeline.steps
    assert [step.id for step in steps][-2:] == ["thumbnail", "metadata"]


def test_a_pipeline_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "steps.json"
    file.write_text(json.dumps([{"id": "x", "action": "resize", "width": 7}]))
    assert wanted(pipeline=file).pipeline.steps[0].id == "x"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({}, "Nothing to do"),
        ({"to": "bmp"}, "'bmp'"),
        ({"to": "png", "preset": "gallery"}, "Expected one of --to"),
        ({"preset": "gallery", "max_bytes": 5}, "--max-bytes does not mix"),
        ({"preset": "hero"}, "gallery"),
        ({"preset": "gallery", "denoise": True}, "--denoise does not mix"),
        ({"to": "webp", "strength": 0.5}, "--strength needs --denoise"),
        ({"model": "fast"}, "--model needs --denoise"),
        ({"pipeline": Path("missing.json")}, "can't be read"),
        ({"to": "webp", "fit": "cover", "width": 3}, "both width and height"),
    ],
)
def test_a_call_that_makes_no_sense_is_explained(
    flags: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidPipeline, match=words):
        wanted(**flags)


def test_a_pipeline_file_holds_a_list(tmp_path: Path) -> None:
    file = tmp_path / "steps.json"
    file.write_text("{}")
    with pytest.raises(InvalidPipeline, match="JSON list"):
        wanted(pipeline=file)
