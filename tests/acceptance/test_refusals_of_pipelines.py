"""A pipeline that can't be run is refused with the field that is wrong."""

from __future__ import annotations

import pytest
from tests.acceptance.refusals import WIDTH, Refusal, form, mark, refusals, step, steps
from tests.acceptance.refusing import Strict

BAD = 422, "invalid_pipeline"
CONVERT = {"action": "convert", "width": None}

STEPS = {
    "no list": (form(pipeline=WIDTH), *BAD, "/pipeline"),
    "no step": (steps(), *BAD, "/pipeline"),
    "too many steps": (
        steps(*({**WIDTH, "id": f"s{n}"} for n in range(33))),
        *BAD,
        "/pipeline",
    ),
    "a step that is a word": (steps("resize"), *BAD, "/pipeline/0"),
    "no id": (step(id=None), *BAD, "/pipeline/0/id"),
    "an id with a space": (step(id="a b"), *BAD, "/pipeline/0/id"),
    "an id that climbs": (step(id="../a"), *BAD, "/pipeline/0/id"),
    "an id of 65 letters": (step(id="a" * 65), *BAD, "/pipeline/0/id"),
    "an id that is a number": (step(id=7), *BAD, "/pipeline/0/id"),
    "an id that stands twice": (steps(WIDTH, WIDTH), *BAD, "/pipeline/1/id"),
    "no action": (step(action=None), *BAD, "/pipeline/0/action"),
    "an unknown action": (step(action="sharpen"), *BAD, "/pipeline/0/action"),
    "an unknown option": (step(sharpness=3), *BAD, "/pipeline/0/sharpness"),
    "an option of metadata": (
        steps({"id": "a", "action": "metadata", "width": 3}),
        *BAD,
        "/pipeline/0/width",
    ),
    "the second of two is wrong": (
        steps(WIDTH, {**WIDTH, "id": "b", "width": 0}),
        *BAD,
        "/pipeline/1/width",
    ),
}
CLEAN = {"action": "denoise", "width": None, "format": "png"}
NOISE = {
    "a network that is none": (step(**CLEAN, model="best"), *BAD, "/pipeline/0/model"),
    "more than all noise": (step(**CLEAN, strength=1.1), *BAD, "/pipeline/0/strength"),
    "strength as text": (step(**CLEAN, strength="1"), *BAD, "/pipeline/0/strength"),
    "denoise as a number": (step(denoise=1), *BAD, "/pipeline/0/denoise"),
    "less than no noise, as an option": (
        step(denoise={"strength": -0.1}),
        *BAD,
        "/pipeline/0/denoise/strength",
    ),
    "an unknown option of denoise": (
        step(denoise={"sigma": 3}),
        *BAD,
        "/pipeline/0/denoise/sigma",
    ),
}
GEOMETRY = {
    "a resize without a side": (step(width=None), *BAD, "/pipeline/0/width"),
    "width 0": (step(width=0), *BAD, "/pipeline/0/width"),
    "width below 0": (step(width=-1), *BAD, "/pipeline/0/width"),
    "width over the limit": (step(width=32_769), *BAD, "/pipeline/0/width"),
    "width beyond every integer": (step(width=10**30), *BAD, "/pipeline/0/width"),
    "width as text": (step(width="64"), *BAD, "/pipeline/0/width"),
    "width as a fraction": (step(width=64.5), *BAD, "/pipeline/0/width"),
    "height as a truth": (step(height=True), *BAD, "/pipeline/0/height"),
    "height as a list": (step(height=[64]), *BAD, "/pipeline/0/height"),
    "an unknown fit": (step(fit="stretch"), *BAD, "/pipeline/0/fit"),
    "cover with one side": (step(fit="cover"), *BAD, "/pipeline/0/fit"),
    "an unknown gravity": (step(gravity="up"), *BAD, "/pipeline/0/gravity"),
    "enlarge as text": (step(enlarge="yes"), *BAD, "/pipeline/0/enlarge"),
    "a background that is no colour": (
        step(background="reddish"),
        *BAD,
        "/pipeline/0/background",
    ),
}
ENCODING = {
    "a conversion into nothing": (
        step(**CONVERT, format=None),
        *BAD,
        "/pipeline/0/format",
    ),
    "an unknown format": (step(format="bmp"), *BAD, "/pipeline/0/format"),
    "a format that is only read": (step(format="heic"), *BAD, "/pipeline/0/format"),
    "a format without a codec": (step(format="jxl"), *BAD, "/pipeline/0/format"),
    "quality 0": (step(quality=0), *BAD, "/pipeline/0/quality"),
    "quality 101": (step(quality=101), *BAD, "/pipeline/0/quality"),
    "quality as text": (step(quality="80"), *BAD, "/pipeline/0/quality"),
    "quality of a png": (step(format="png", quality=80), *BAD, "/pipeline/0/quality"),
    "quality without loss": (
        step(lossless=True, quality=80),
        *BAD,
        "/pipeline/0/quality",
    ),
    "jpg without loss": (
        step(format="jpg", lossless=True),
        *BAD,
        "/pipeline/0/lossless",
    ),
    "more effort than webp has": (step(effort=7), *BAD, "/pipeline/0/effort"),
    "effort of a jpg": (step(format="jpg", effort=3), *BAD, "/pipeline/0/effort"),
    "no bytes at most": (step(max_bytes=0), *BAD, "/pipeline/0/max_bytes"),
    "bytes of a png": (step(format="png", max_bytes=9), *BAD, "/pipeline/0/max_bytes"),
    "a moving avif": (step(format="avif", animated=True), *BAD, "/pipeline/0/animated"),
    "an unknown way to keep metadata": (
        step(keep_metadata="some"),
        *BAD,
        "/pipeline/0/keep_metadata",
    ),
}
WATERMARKS = {
    "a watermark of nothing": (
        steps({"id": "a", "action": "watermark", "format": "png"}),
        *BAD,
        "/pipeline/0/watermark",
    ),
    "neither text nor image": (mark(text=None), *BAD, "/pipeline/0/watermark/text"),
    "text and image": (
        mark(image="inbox/default/a"),
        *BAD,
        "/pipeline/0/watermark/text",
    ),
    "an empty text": (mark(text=""), *BAD, "/pipeline/0/watermark/text"),
    "a text too long": (mark(text="x" * 201), *BAD, "/pipeline/0/watermark/text"),
    "too much opacity": (mark(opacity=1.5), *BAD, "/pipeline/0/watermark/opacity"),
    "a size of nothing": (mark(size=0), *BAD, "/pipeline/0/watermark/size"),
    "a colour that is none": (mark(color="glum"), *BAD, "/pipeline/0/watermark/color"),
    "an edge that is none": (
        mark(gravity="attention"),
        *BAD,
        "/pipeline/0/watermark/gravity",
    ),
    "an image of another tenant": (
        mark(text=None, image="inbox/other/logo.png"),
        *BAD,
        "/pipeline/0/watermark/image",
    ),
    "an image out of a job": (
        mark(text=None, image="raw/{done}/source"),
        *BAD,
        "/pipeline/0/watermark/image",
    ),
    "an image that is not there": (
        mark(text=None, image="inbox/default/logo.png"),
        *BAD,
        "/pipeline/0/watermark/image",
    ),
}


@pytest.mark.parametrize(
    "refusal", refusals(STEPS | NOISE | GEOMETRY | ENCODING | WATERMARKS)
)
def test_it_is_refused_and_leaves_nothing_behind(
    strict: Strict, refusal: Refusal
) -> None:
    strict.check(refusal)


def test_every_wrong_field_is_named_at_once(strict: Strict) -> None:
    wrong = {"id": "a b", "action": "resize", "width": 0, "fit": "no", "quality": 500}
    asked = steps(wrong)
    problem = strict.refused(asked, *BAD)
    assert {each["pointer"] for each in problem["errors"]} == {
        "/pipeline/0/id",
        "/pipeline/0/width",
        "/pipeline/0/fit",
        "/pipeline/0/quality",
    }
