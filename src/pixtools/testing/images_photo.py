"""A procedural photograph: sky, clouds, dead leaves, houses, a sign, texture, grain.

The leaves model (overlapping discs whose radii follow a power law) gives edges at all
scales as photographs have (Lee, Mumford and Huang, "Occlusion Models for Natural
Images", 2001); fractal texture and grain bring the entropy of a camera's JPEG.
"""

from __future__ import annotations

from pixtools.testing.libraries import (
    Image,
    ImageDraw,
    ImageFilter,
    ImageFont,
    NDArray,
    Pixels,
    np,
)

_LEAVES = 5000
_PALETTE = np.array(
    [
        (58, 92, 40), (96, 128, 52), (140, 150, 70), (104, 76, 48), (150, 116, 78),
        (84, 84, 80), (170, 164, 150), (176, 92, 56), (186, 160, 80), (84, 78, 104),
    ]
)  # fmt: skip
_LARGEST_TILE = 512
_LEAST_RADIUS = 0.5
_BAND = 256


def photo(width: int, height: int, seed: int = 0) -> Pixels:
    """Draw a photograph-like RGB picture of `height` x `width` x 3.

    The same seed gives the same scene; its size changes the resolution, not the
    content. As a JPEG of quality 90 it takes about 2.4 bits per pixel at 12 MP.
    """
    # RandomState, because its stream is frozen for good; Generator's may change.
    random = np.random.RandomState(seed)
    scene, roughness = _scene(width, height, random)
    return _textured(scene, roughness, random)


def _scene(
    width: int, height: int, random: np.random.RandomState
) -> tuple[Pixels, Pixels]:
    """Draw the scene, and beside it how rough each pixel's surface is."""
    picture = _sky(width, height, random)
    roughness = Image.new("L", (width, height), 8)
    brushes = ImageDraw.Draw(picture), ImageDraw.Draw(roughness)
    _draw_ground(brushes, width, height)
    _draw_leaves(brushes, width, height, random)
    _draw_houses(brushes, width, height, random)
    _draw_sign(brushes, width, height)
    softened = picture.filter(ImageFilter.BoxBlur(0.6))
    return np.asarray(softened), np.asarray(roughness)


def _sky(width: int, height: int, random: np.random.RandomState) -> Image.Image:
    rows = np.linspace(0.0, 1.0, 64)[:, None, None]
    blue = np.array([70, 120, 190]) * (1 - rows) + np.array([214, 222, 228]) * rows
    clouds = sum(
        np.asarray(Image.fromarray(random.rand(n, n).astype("f4")).resize((64, 64), 3))
        / n
        for n in (4, 8, 16, 32)
    )
    cover = np.clip(np.asarray(clouds)[..., None] * 8 - 1.6, 0, 1)
    small = blue * (1 - cover) + 244 * cover
    return Image.fromarray(small.astype("u1")).resize((width, height), 3)


Brushes = tuple[ImageDraw.ImageDraw, ImageDraw.ImageDraw]


def _draw_ground(brushes: Brushes, width: int, height: int) -> None:
    horizon = height * 0.38
    for step in range(16):
        top = horizon + (height - horizon) * step / 16
        tone = (126 - 4 * step, 128 - 3 * step, 88 - 3 * step)
        brushes[0].rectangle((0, top, width, height), fill=tone)
    brushes[1].rectangle((0, horizon, width, height), fill=62)


def _draw_leaves(
    brushes: Brushes, width: int, height: int, random: np.random.RandomState
) -> None:
    diagonal = float(np.hypot(width, height))
    smallest, largest = diagonal / 500, diagonal / 14
    shrink = 1 - random.rand(_LEAVES) * (1 - (smallest / largest) ** 2)
    radii = smallest / np.sqrt(shrink)
    across = random.rand(_LEAVES) * width
    down = height * (0.36 + 0.66 * random.rand(_LEAVES) ** 0.9)
    light = 0.45 + 0.75 * random.rand(_LEAVES, 1)
    colours = _PALETTE[random.randint(len(_PALETTE), size=_LEAVES)] * light
    colours = np.clip(colours + random.randint(-14, 15, (_LEAVES, 3)), 0, 255)
    rough = random.choice([12, 28, 46, 66, 96], size=_LEAVES)
    for x, y, r, colour, grade in zip(
        across, down, radii, colours.astype(int).tolist(), rough.tolist(), strict=True
    ):
        if r < _LEAST_RADIUS:
            continue
        box = (x - r, y - r, x + r, y + r)
        brushes[0].ellipse(box, fill=tuple(colour))
        brushes[1].ellipse(box, fill=grade)


def _draw_houses(
    brushes: Brushes, width: int, height: int, random: np.random.RandomState
) -> None:
    for _ in range(3):
        w, h = width * (0.07 + 0.06 * random.rand()), height * 0.16
        x, y = random.rand() * (width - w), height * (0.3 + 0.25 * random.rand())
        tone = int(120 + 100 * random.rand())
        brushes[0].rectangle((x, y, x + w, y + h), fill=(tone, tone - 18, tone - 40))
        brushes[1].rectangle((x, y, x + w, y + h), fill=12)
        for column in range(4):
            for row in range(3):
                left = x + w * (0.1 + 0.22 * column)
                top = y + h * (0.12 + 0.28 * row)
                pane = (left, top, left + w * 0.12, top + h * 0.16)
                brushes[0].rectangle(pane, fill=(34, 38, 52))


def _draw_sign(brushes: Brushes, width: int, height: int) -> None:
    box = (width * 0.68, height * 0.62, width * 0.95, height * 0.8)
    brushes[0].rectangle(box, fill=(238, 232, 214))
    brushes[1].rectangle(box, fill=6)
    words = "PixTools test picture\nThe quick brown fox\n0123456789"
    font = ImageFont.load_default(max(4.0, height * 0.034))
    place = (box[0] + width * 0.012, box[1] + height * 0.018)
    brushes[0].multiline_text(place, words, fill=(26, 28, 40), font=font)


def _textured(
    scene: Pixels, roughness: Pixels, random: np.random.RandomState
) -> Pixels:
    """Add fractal texture by roughness and sensor grain, band by band for memory."""
    height, width = roughness.shape
    side = 128 if max(width, height) <= 128 else _LARGEST_TILE
    columns = np.arange(width) % side
    texture = _fractal_tile(side, random)[:, columns]
    grain = random.normal(0, 3.6, (side, side, 3)).round().astype("i2")[:, columns]
    out = np.empty_like(scene)
    for top in range(0, height, _BAND):
        bottom = min(top + _BAND, height)
        rows = np.arange(top, bottom) % side
        relief = (texture[rows] * roughness[top:bottom]) >> 7
        lit = scene[top:bottom] + relief[..., None] + grain[rows]
        out[top:bottom] = np.clip(lit, 0, 255)
    return out


def _fractal_tile(side: int, random: np.random.RandomState) -> NDArray[np.int16]:
    """Make a seamless 1/f tile by shaping white noise in frequency; deviation 48."""
    spectrum = np.fft.fft2(random.normal(size=(side, side)))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    tile = np.fft.ifft2(spectrum / np.maximum(frequency, 4 / side)).real
    return np.asarray((tile / tile.std() * 48).clip(-240, 240).astype("i2"))
