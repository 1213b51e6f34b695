"""The declaration as clients see it: what is offered, and what of it is here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pixtools.domain.catalogue import STANDARD, catalogue, check_offered
from pixtools.domain.errors import InvalidPipeline
from pixtools.domain.formats import FORMATS, WRITABLE, canonical_name, format_named
from pixtools.domain.operations.actions import ACTIONS, Picture
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.presets import PRESETS, preset_named

ABLE = replace(STANDARD, actions=STANDARD.actions | {"denoise"}, models=("fast",))


def test_denoise_is_shown_where_there_is_a_network_for_it() -> None:
    """Nowhere else: neither the action nor the option."""
    assert set(catalogue(ABLE)["actions"]) == set(ACTIONS)
    shown = catalogue(STANDARD)["actions"]
    assert "denoise" not in shown
    assert not any("denoise" in each["properties"] for each in shown.values())
    assert "Denoising" not in str(shown)


def test_only_the_networks_that_are_here_are_shown() -> None:
    shown = catalogue(ABLE)["actions"]
    group = shown["resize"]["$defs"]["Denoising"]["properties"]
    for model in (shown["denoise"]["properties"]["model"], group["model"]):
        assert model["anyOf"] == [
            {"enum": ["fast"], "type": "string"},
            {"type": "null"},
        ]
    both = catalogue(replace(ABLE, models=("quality", "fast")))["actions"]["denoise"]
    assert both["properties"]["model"]["anyOf"][0]["enum"] == ["quality", "fast"]


@pytest.mark.parametrize(
    ("step", "pointer"),
    [
        ({"action": "denoise", "model": "quality"}, "/pipeline/0/model"),
        (
            {"action": "convert", "format": "png", "denoise": {"model": "quality"}},
            "/pipeline/0/denoise/model",
        ),
    ],
)
def test_a_network_that_is_not_here_is_refused_with_those_that_are(
    step: dict[str, object], pointer: str
) -> None:
    check_offered(Pipeline.parse([{**step, "id": "a"} | _fast(step)]), ABLE)
    with pytest.raises(
        InvalidPipeline, match=r"model quality .* offers fast"
    ) as caught:
        check_offered(Pipeline.parse([{**step, "id": "a"}]), ABLE)
    assert caught.value.fields[0].pointer == pointer


def _fast(step: dict[str, object]) -> dict[str, object]:
    here: dict[str, object] = {"model": "fast"}
    return here if step["action"] == "denoise" else {"denoise": here}


@pytest.mark.parametrize(
    ("step", "pointer"),
    [
        ({"id": "a", "action": "denoise"}, "/pipeline/0/action"),
        (
            {"id": "a", "action": "convert", "format": "png", "denoise": True},
            "/pipeline/0/denoise",
        ),
    ],
)
def test_what_is_not_offered_is_a_clear_refusal(
    step: dict[str, object], pointer: str
) -> None:
    with pytest.raises(InvalidPipeline, match="does not offer") as caught:
        check_offered(Pipeline.parse([step]), STANDARD)
    assert caught.value.fields[0].pointer == pointer


def test_a_format_that_workers_lack_is_refused() -> None:
    pipeline = Pipeline.parse([{"id": "a", "action": "convert", "format": "avif"}])
    without = replace(STANDARD, writable=frozenset({"jpg"}))
    with pytest.raises(InvalidPipeline, match="the format avif"):
        check_offered(pipeline, without)


def test_every_option_says_what_it_is_and_how_it_is_set() -> None:
    for kind in ACTIONS.values():
        for name, field in kind.model_fields.items():
            if name in ("action", "id"):
                continue
            assert field.description, f"{kind.__name__}.{name} has no help"


def test_ranges_reach_the_schema_that_pages_read() -> None:
    width = catalogue(STANDARD)["actions"]["resize"]["properties"]["width"]
    number = width["anyOf"][0]
    assert (number["minimum"], number["maximum"]) == (1, 32_768)
    assert (width["unit"], width["control"]) == ("px", "number")


def test_every_picture_action_shares_the_same_options() -> None:
    pictures = [kind for kind in ACTIONS.values() if issubclass(kind, Picture)]
    shared = set(Picture.model_fields)
    assert all(shared <= set(kind.model_fields) for kind in pictures)


def test_the_gallery_preset_is_the_contract_s() -> None:
    plan = preset_named("gallery").pipeline.plan("png")
    boxes = [(o.box.width, o.box.fit) for o in plan.outputs if o.box]
    assert boxes == [
        (2048, "inside"),
        (1024, "inside"),
        (512, "inside"),
        (200, "cover"),
    ]
    assert {(o.encode.format, o.encode.quality) for o in plan.outputs} == {("jpg", 80)}
    assert {o.encode.keep_metadata for o in plan.outputs} == {"none"}


def test_an_unknown_preset_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidPipeline, match="gallery") as caught:
        preset_named("hero")
    assert caught.value.fields[0].pointer == "/preset"


def test_every_preset_is_offered_here() -> None:
    for preset in PRESETS.values():
        check_offered(preset.pipeline, STANDARD)


def test_formats_are_known_by_name_and_alias() -> None:
    assert format_named("JPEG") is FORMATS["jpg"]
    assert canonical_name("tif") == "tiff"
    assert canonical_name(7) == 7
    assert {name for name in FORMATS if FORMATS[name].writable} == set(WRITABLE)
    with pytest.raises(KeyError):
        format_named("bmp")
