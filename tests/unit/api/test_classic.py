"""The PixTools face reads and says what its clients have always written and read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pixtools.api import classic
from pixtools.domain.catalogue import STANDARD
from pixtools.domain.errors import InvalidPipeline, InvalidRequest


def steps(operations: str, params: str | None = None) -> list[dict[str, Any]]:
    return classic.parse_pipeline(operations, params, 32).canonical()


def refusal(operations: str | None, params: str | None = None) -> tuple[str, str]:
    with pytest.raises(InvalidRequest) as refused:
        classic.parse_pipeline(operations, params, 32)
    return refused.value.fields[0].pointer, refused.value.detail


def test_each_operation_becomes_one_step_of_the_same_name() -> None:
    assert steps('["webp","denoise","metadata"]') == [
        {"id": "webp", "action": "convert", "format": "webp"},
        {"id": "denoise", "action": "denoise"},
        {"id": "metadata", "action": "metadata"},
    ]


def test_the_readme_example_is_understood_word_for_word() -> None:
    params = '{"webp":{"quality":80},"denoise":{"resize":{"width":1280}}}'
    assert steps('["webp","denoise","metadata"]', params) == [
        {"id": "webp", "action": "convert", "format": "webp", "quality": 80},
        {"id": "denoise", "action": "denoise", "width": 1280},
        {"id": "metadata", "action": "metadata"},
    ]


def test_both_sides_mean_exactly_that_size() -> None:
    params = '{"jpg":{"resize":{"width":300,"height":"200"}}}'
    assert steps('["jpg"]', params) == [
        {
            "id": "jpg",
            "action": "convert",
            "format": "jpg",
            "width": 300,
            "height": 200,
            "fit": "fill",
            "enlarge": True,
        }
    ]


def test_one_side_keeps_the_proportions() -> None:
    (step,) = steps('["png"]', '{"png":{"resize":{"height":200}}}')
    assert step == {"id": "png", "action": "convert", "format": "png", "height": 200}


def test_numbers_may_be_text() -> None:
    (step,) = steps('["webp"]', '{"webp":{"quality":"75"}}')
    assert step["quality"] == 75


def test_parameters_of_operations_that_were_not_chosen_are_ignored() -> None:
    assert steps('["webp"]', '{"jpg":{"quality":"nonsense"},"x":1}') == steps(
        '["webp"]'
    )


def test_an_operation_named_twice_is_done_once() -> None:
    assert steps('["webp","webp"]') == steps('["webp"]')


def test_a_preset_stands_for_its_steps() -> None:
    ids = [step["id"] for step in steps('["webp","gallery"]')]
    assert ids == ["webp", "large", "medium", "small", "thumbnail"]


@pytest.mark.parametrize("empty", ["", "  ", "null", "{}"])
def test_no_parameters_are_no_parameters(empty: str) -> None:
    assert steps('["webp"]', empty) == steps('["webp"]')


@pytest.mark.parametrize(
    ("operations", "text"),
    [
        ("webp", "Invalid operations: "),
        ('{"a":1}', "Invalid operations: expected a JSON array"),
        ("[]", "At least one operation is required"),
        ('["bmp"]', "Invalid operations: expected one of jpg, png, webp, avif"),
        ("[7]", "Invalid operations: "),
        ("[[]]", "Invalid operations: "),
        ('["\\ud800"]', "Invalid operations: "),
        ("[" * 100_000, "Invalid operations: nested too deeply"),
    ],
)
def test_wrong_operations_are_refused_in_the_known_words(
    operations: str, text: str
) -> None:
    pointer, detail = refusal(operations)
    assert pointer.startswith("/operations")
    assert detail.startswith(text)


def test_missing_operations_are_named() -> None:
    assert refusal(None)[0] == "/operations"


@pytest.mark.parametrize(
    ("name", "given_", "text"),
    [
        ("webp", 5, " must be an object"),
        ("png", {"quality": 80}, ".quality is only supported for jpg/webp"),
        ("avif", {"quality": 80}, ".quality is only supported for jpg/webp"),
        ("webp", {"quality": "high"}, ".quality must be an integer"),
        ("webp", {"quality": True}, ".quality must be an integer"),
        ("webp", {"quality": 80.5}, ".quality must be an integer"),
        ("webp", {"quality": 0}, ".quality must be 1..100"),
        ("jpg", {"quality": "101"}, ".quality must be 1..100"),
        (
            "metadata",
            {"resize": {"width": 1}},
            ".resize is only supported for jpg/png/webp/avif/denoise",
        ),
        ("jpg", {"resize": [1]}, ".resize must be an object"),
        ("jpg", {"resize": {}}, ".resize requires width or height"),
        ("jpg", {"resize": {"width": "x"}}, ".resize.width must be an integer"),
        ("jpg", {"resize": {"height": 0}}, ".resize.height must be > 0"),
        ("jpg", {"resize": {"width": -3}}, ".resize.width must be > 0"),
        ("jpg", {"resize": {"width": 99_999}}, ".resize.width must be <= 32768"),
        ("jpg", {"effort": 3}, " has no option 'effort'"),
    ],
)
def test_wrong_parameters_are_refused_in_the_known_words(
    name: str, given_: object, text: str
) -> None:
    pointer, detail = refusal(json.dumps([name]), json.dumps({name: given_}))
    assert detail == f"operation_params['{name}']{text}"
    assert pointer.startswith(f"/operation_params/{name}")


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ("{", "Invalid operation_params JSON: "),
        ("[1]", "operation_params must be a JSON object"),
        ('"x"', "operation_params must be a JSON object"),
    ],
)
def test_parameters_that_are_no_object_are_refused(params: str, text: str) -> None:
    assert refusal('["webp"]', params)[1].startswith(text)


def test_what_is_not_offered_here_is_refused_by_name() -> None:
    pipeline = classic.parse_pipeline('["webp","denoise"]', None, 32)
    with pytest.raises(InvalidPipeline, match="does not offer denoise") as refused:
        classic.check_offered(pipeline, STANDARD)
    assert refused.value.fields[0].pointer == "/operations/1"


def test_a_format_is_not_converted_into_itself() -> None:
    pipeline = classic.parse_pipeline('["webp","jpg"]', None, 32)
    classic.check_conversions(pipeline, "png")
    with pytest.raises(InvalidRequest) as refused:
        classic.check_conversions(pipeline, "jpg")
    assert refused.value.detail == (
        "Cannot convert jpg to jpg - source and target formats are the same"
    )


@given(st.text(max_size=60), st.text(max_size=120))
def test_any_text_is_understood_or_refused_never_a_crash(
    operations: str, params: str
) -> None:
    try:
        named = bool(classic.parse_pipeline(operations, params, 32).steps)
    except InvalidRequest as refused:
        named = bool(refused.fields)
    assert named
