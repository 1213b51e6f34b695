"""Work to be interrupted."""

from __future__ import annotations

from tests.acceptance.visiting import Step

ENCODE: list[Step] = [{"id": "a", "action": "convert", "format": "avif", "effort": 0}]
"""About a second for twelve megapixels."""

LONG: list[Step] = [{"id": "a", "action": "convert", "format": "avif", "effort": 3}]
"""Eight seconds or so: three times as fast, its middle is still found."""

ENDLESS: list[Step] = [{"id": "a", "action": "convert", "format": "avif", "effort": 9}]
"""Minutes for twelve megapixels, deaf to requests to stop."""

MIXED: list[list[Step]] = [
    [{"id": "a", "action": "resize", "width": 320, "format": "webp"}],
    [
        {"id": "a", "action": "convert", "format": "png"},
        {"id": "b", "action": "resize", "width": 99, "height": 99, "fit": "cover"},
        {"id": "facts", "action": "metadata"},
    ],
    [
        {"id": "a", "action": "watermark", "watermark": {"text": "©"}, "quality": 70},
        {"id": "b", "action": "resize", "width": 200, "format": "avif", "effort": 0},
    ],
]
