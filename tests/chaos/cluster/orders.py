"""What the clients of one scenario ask for: hundreds of jobs, dealt from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from tests.chaos.cluster.photos import LARGE, SMALL, TORN

Step = dict[str, Any]
Face = Literal["form", "announced", "classic", "batch"]
Deed = Literal["keep", "cancel", "erase", "watch"]
"""What the client does after its job was accepted."""

KINDS: Final[Mapping[str, list[Step]]] = {
    "web": [{"id": "web", "action": "resize", "width": 64, "format": "webp"}],
    "three": [
        {"id": "whole", "action": "convert", "format": "png"},
        {
            "id": "square",
            "action": "resize",
            "width": 40,
            "height": 40,
            "fit": "cover",
            "format": "jpg",
        },
        {"id": "facts", "action": "metadata"},
    ],
    "mark": [
        {
            "id": "marked",
            "action": "watermark",
            "watermark": {"text": "©"},
            "format": "jpg",
            "quality": 70,
        }
    ],
    "avif": [
        {
            "id": "tiny",
            "action": "resize",
            "width": 48,
            "format": "avif",
            "effort": 0,
        }
    ],
    "partial": [
        {"id": "good", "action": "resize", "width": 50, "format": "jpg"},
        # No WebP is that small, so this output fails on its own.
        {"id": "bad", "action": "convert", "format": "webp", "max_bytes": 20},
    ],
    # A third of a second for a small photo: long enough to be killed in.
    "slow": [{"id": "slow", "action": "convert", "format": "avif", "effort": 4}],
    # A second and a half for the large photo: its child works on while it is found.
    "long": [{"id": "long", "action": "convert", "format": "avif", "effort": 2}],
    # Ten megabytes of the large photo: its ZIP is packed when its end has been told of.
    "huge": [{"id": "huge", "action": "convert", "format": "png", "effort": 0}],
}
DEALT: Final = {
    "web": 41,
    "three": 24,
    "mark": 20,
    "avif": 8,
    "partial": 5,
    "slow": 2,
}
"""How often each kind is asked for, in a hundred."""
CLASSIC: Final = ("webp", "metadata")
"""Operations asked of the other face."""
FACES: Final[Mapping[Face, int]] = {
    "form": 66,
    "announced": 20,
    "classic": 10,
    "batch": 1,
}
"""How often each way in is taken, in about a hundred."""
BATCH: Final = 6
"""Photographs in one batch."""
ARCHIVED: Final = 0.15
"""The share of jobs of which a ZIP is wanted."""
LEAST: Final = 300
"""Jobs in a scenario."""


@dataclass(frozen=True, slots=True)
class Order:
    """One request for work; a batch asks for several jobs at once."""

    key: str
    """Idempotency-Key: the same for each time that it is sent."""
    face: Face
    kind: str
    photos: tuple[str, ...]
    deed: Deed
    archive: bool

    @property
    def steps(self) -> list[Step]:
        """Its pipeline, as a client writes it."""
        return KINDS[self.kind]


def deal(scenario: str, seed: int, least: int = LEAST) -> Sequence[Order]:
    """At least so many jobs, in every kind and in an order that the seed decides."""
    dice = random.Random(f"{scenario}/{seed}")
    faces: list[Face] = []
    for face, times in FACES.items():
        faces += [face] * times
    orders: list[Order] = []
    jobs = 0
    while jobs < least:
        face = faces[len(orders) % len(faces)]
        key = f"{scenario}/{seed}/{len(orders)}".replace(" ", "-")
        order = _order(key, face, dice)
        orders.append(order)
        jobs += len(order.photos)
    dice.shuffle(orders)
    return orders


def _order(key: str, face: Face, dice: random.Random) -> Order:
    kind = dice.choices(list(DEALT), weights=list(DEALT.values()))[0]
    if face == "classic":
        one = dice.choice(["camera.jpg", "small.jpg", TORN])
        return Order(key, face, "web", (one,), "keep", archive=True)
    if face == "batch":
        several = tuple(dice.choices([*SMALL], k=BATCH))
        return Order(key, face, "web", several, "keep", archive=True)
    photo = dice.choices([*SMALL, TORN, LARGE], weights=[15] * 6 + [6, 1])[0]
    photos = ("scan.tif" if kind == "slow" else photo,)
    deeds: list[Deed] = ["keep", "cancel", "erase", "watch"]
    deed = dice.choices(deeds, weights=[85, 8, 3, 4])[0]
    return Order(key, face, kind, photos, deed, archive=dice.random() < ARCHIVED)
