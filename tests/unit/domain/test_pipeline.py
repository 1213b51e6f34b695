"""What a pipeline promises: it is checked once, completely, in plain words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st
from tests.pipelines import pipelines

from pixtools.domain import plan as plans
from pixtools.domain.errors import FieldError, InvalidPipeline
from pixtools.domain.pipeline import Pipeline
from pixtools.domain.plan import Denoise

RESIZE = {"id": "a", "action": "resize", "width": 320}
CLEAN = {"id": "a", "action": "denoise"}


def refusal(steps: object) -> dict[str, str]:
    """Pointer → detail of everything that a pipeline is refused for."""
    with pytest.raises(InvalidPipeline) as caught:
        Pipeline.parse(steps)
    return {field.pointer: field.detail for field in caught.value.fields}


def refused_fields(steps: object) -> tuple[FieldError, ...]:
    """What is wrong with the steps; nothing if they pass."""
    try:
        Pipeline.parse(steps)
    except InvalidPipeline as refused:
        return refused.fields or (FieldError("unnamed", "unsaid"),)
    return ()


@given(pipelines())
def test_a_pipeline_survives_its_canonical_form(steps: list[dict[str, Any]]) -> None:
    first = Pipeline.parse(steps)
    stored = json.loads(json.dumps(first.canonical()))
    again = Pipeline.parse(stored)
    assert again.canonical() == first.canonical()
    assert again.digest() == first.digest()
    assert again.plan("jpg") == first.plan("jpg")


def test_a_plan_is_made_once_for_each_format() -> None:
    """What is kept of the last one never answers for another format."""
    pipeline = Pipeline.parse([RESIZE])
    first = pipeline.plan("jpg")
    assert pipeline.plan("jpg") is first
    formats = [
        pipeline.plan(source).outputs[0].encode.format
        for source in ("png", "jpg", "png")
    ]
    assert formats == ["png", "jpg", "png"]
    for _ in range(2):
        with pytest.raises(InvalidPipeline):
            pipeline.plan("heic")


@given(pipelines())
def test_a_plan_survives_the_way_to_a_worker(steps: list[dict[str, Any]]) -> None:
    made = Pipeline.parse(steps).plan("jpg")
    assert plans.from_json(json.loads(json.dumps(plans.to_json(made)))) == made


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(
    json_values
    | st.lists(
        st.fixed_dictionaries(
            {"id": st.just("a"), "action": st.sampled_from(["resize", "watermark", 7])},
            optional=dict.fromkeys(
                ("width", "watermark", "denoise", "format", "background"), json_values
            ),
        ),
        max_size=2,
    )
)
def test_any_json_is_a_pipeline_or_a_named_refusal(steps: object) -> None:
    found = refused_fields(steps)
    assert all(field.pointer.startswith("/pipeline") for field in found)
    assert all(field.detail.endswith(".") for field in found)


def test_spellings_of_clients_are_folded() -> None:
    step = {**RESIZE, "format": "JPEG", "watermark": {"text": "©", "gravity": "center"}}
    made = Pipeline.parse([step]).plan("png").outputs[0]
    assert made.encode.format == "jpg"
    assert made.mark is not None
    assert made.mark.gravity == "centre"


def test_every_wrong_field_is_named_at_once() -> None:
    step = {"id": "a b", "action": "resize", "width": 0, "quality": "80", "colour": 1}
    found = refusal([step])
    assert set(found) == {
        "/pipeline/0/id",
        "/pipeline/0/width",
        "/pipeline/0/quality",
        "/pipeline/0/colour",
    }
    expected = "Expected a number of at least 1 for width but received 0."
    assert found["/pipeline/0/width"] == expected
    assert found["/pipeline/0/colour"] == "There is no option named colour here."


@pytest.mark.parametrize(
    ("step", "pointer", "words"),
    [
        ({"id": "a", "action": "resize"}, "/width", "width or height"),
        ({"id": "a", "action": "convert"}, "/format", "a value for format"),
        ({"id": "a", "action": "blur"}, "/action", "'blur'"),
        ({"id": "a"}, "/action", "one of convert, resize"),
        ({**RESIZE, "fit": "cover"}, "/fit", "both width and height"),
        ({**RESIZE, "background": "blurple"}, "/background", "CSS colour"),
        ({**RESIZE, "watermark": {}}, "/watermark/text", "neither"),
        (
            {**RESIZE, "watermark": {"text": "a", "image": "b"}},
            "/watermark/text",
            "both",
        ),
        ({**RESIZE, "watermark": {"text": ""}}, "/watermark/text", "at least 1"),
        ({**RESIZE, "denoise": {"strength": 2}}, "/denoise/strength", "at most 1"),
        ({**RESIZE, "denoise": {"model": "best"}}, "/denoise/model", "'fast'"),
        ({**CLEAN, "strength": -1}, "/strength", "at least 0"),
        ({**CLEAN, "model": 3}, "/model", "'quality'"),
        ({**CLEAN, "denoise": {"strength": 0.5}}, "/denoise", "beside the action"),
        ({**RESIZE, "format": "bmp"}, "/format", "'bmp'"),
        (5, "", "an object"),
    ],
)
def test_a_refusal_points_at_the_field_and_says_why(
    step: object, pointer: str, words: str
) -> None:
    found = refusal([step])
    assert words in found[f"/pipeline/0{pointer}"]


def test_ids_are_unique() -> None:
    assert "/pipeline/1/id" in refusal([RESIZE, RESIZE])


def test_a_pipeline_has_a_step() -> None:
    assert refusal([])["/pipeline"] == "Expected at least one step but received none."


def test_more_steps_than_allowed_are_refused_before_they_are_read() -> None:
    steps = [{"nonsense": n} for n in range(4)]
    with pytest.raises(InvalidPipeline, match="at most 3 steps but received 4"):
        Pipeline.parse(steps, max_steps=3)


@pytest.mark.parametrize(
    ("options", "source", "pointer"),
    [
        ({"format": "png", "quality": 80}, "jpg", "quality"),
        ({"quality": 80}, "png", "quality"),
        ({"format": "webp", "lossless": True, "quality": 80}, "jpg", "quality"),
        ({"format": "png", "max_bytes": 9}, "jpg", "max_bytes"),
        ({"format": "jpg", "lossless": True}, "jpg", "lossless"),
        ({"format": "webp", "effort": 7}, "jpg", "effort"),
        ({"format": "jpg", "effort": 1}, "jpg", "effort"),
        ({"format": "jpg", "animated": True}, "gif", "animated"),
        ({}, "heic", "format"),
    ],
)
def test_an_option_that_the_written_format_lacks_is_an_error(
    options: dict[str, Any], source: str, pointer: str
) -> None:
    with pytest.raises(InvalidPipeline) as caught:
        Pipeline.parse([RESIZE | options]).plan(source)
    assert [field.pointer for field in caught.value.fields] == [
        f"/pipeline/0/{pointer}"
    ]


@pytest.mark.parametrize(
    ("name", "quality", "effort"),
    [("jpg", 80, None), ("webp", 80, 2), ("avif", 63, 1), ("png", None, 3)],
)
def test_defaults_are_the_contract_s(
    name: str, quality: int | None, effort: int | None
) -> None:
    step = {"id": "a", "action": "convert", "format": name}
    encode = Pipeline.parse([step]).plan("tiff").outputs[0].encode
    assert (encode.quality, encode.effort) == (quality, effort)
    assert encode.keep_metadata == "none"
    assert encode.background == (255, 255, 255, 255)


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        (RESIZE, None),
        (RESIZE | {"denoise": False}, None),
        (RESIZE | {"denoise": True}, Denoise()),
        (RESIZE | {"denoise": {}}, Denoise()),
        (RESIZE | {"denoise": {"model": "fast"}}, Denoise(model="fast")),
        (CLEAN, Denoise()),
        (CLEAN | {"strength": 0}, Denoise(strength=0.0)),
        (CLEAN | {"model": "quality"}, Denoise(model="quality")),
    ],
)
def test_a_step_and_an_option_ask_for_less_noise_in_the_same_words(
    step: dict[str, object], wanted: Denoise | None
) -> None:
    pipeline = Pipeline.parse([step])
    assert pipeline.plan("jpg").outputs[0].denoise == wanted
    assert Pipeline.parse(pipeline.canonical()).digest() == pipeline.digest()


def test_a_denoised_photo_is_a_png_unless_it_is_asked_to_be_another() -> None:
    """Its noise is gone: nothing that an encoder adds shall take its place."""
    assert Pipeline.parse([CLEAN]).plan("jpg").outputs[0].encode.format == "png"
    jpg = Pipeline.parse([CLEAN | {"format": "jpg"}])
    assert jpg.plan("jpg").outputs[0].encode.format == "jpg"


def test_true_and_no_options_mean_the_same() -> None:
    digests = {
        Pipeline.parse([RESIZE | {"denoise": wish}]).digest()
        for wish in (True, {}, {"strength": 1}, {"strength": 1.0, "model": None})
    }
    assert len(digests) == 1


def test_denoise_switched_off_is_no_denoise() -> None:
    off = Pipeline.parse([RESIZE | {"denoise": False}])
    assert off.canonical() == Pipeline.parse([RESIZE]).canonical()
