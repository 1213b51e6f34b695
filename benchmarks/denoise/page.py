"""The model card, docs/explanation/denoiser.md: its tables are filled in here."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.denoise.findings import Quality
from benchmarks.denoise.quality import SIGMAS, mean
from benchmarks.denoise.report import title_of
from benchmarks.report import table
from pixtools.engine.denoise.weights import NAMES, SHIPPED, files_of

Cards = Mapping[str, Mapping[str, Any]]
"""By the network's name."""

_SHOWN: Final = ("noisy", "opencv", "nlm", "bm3d")
_COUNTED: Final = ("0", "15", "25", "50")


def shipped(folder: Path = SHIPPED) -> Cards:
    """The cards of the weights in the package."""
    paths = {name: files_of(folder, name).card for name in NAMES}
    return {
        name: json.loads(path.read_text("utf-8"))
        for name, path in paths.items()
        if path.exists()
    }


def filled(page: str, cards: Cards, good: Quality | None) -> str:
    """The page with the tables of these weights and of what was found of them."""
    page = _between(page, "weights", "\n\n".join(_weights(cards)))
    if good is None:
        return page
    return _between(page, "numbers", "\n\n".join(_numbers(cards, good)))


def _between(page: str, mark: str, text: str) -> str:
    pattern = re.compile(f"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    found, times = pattern.subn(lambda m: f"{m[1]}\n{text}\n\n{m[2]}", page)
    if times != 1:
        raise ValueError(f"Expected the mark {mark} once but found it {times} times.")
    return found


def _weights(cards: Cards) -> Iterator[str]:
    names = [name for name in NAMES if name in cards]
    for name in NAMES:
        if name not in cards:
            yield (
                f"This version ships no weights of `{name}`: "
                "`pixtools models import` takes in those of others."
            )
    if names:
        rows = [
            [fact, *(told(cards[name]) for name in names)]
            for fact, told in _FACTS.items()
        ]
        yield table(["", *(f"`{name}`" for name in names)], rows)
    for name in names:
        told = "\n".join(map(shlex.join, cards[name]["commands"]))
        yield f"```bash\n{told}\n```"


_FACTS: Final[Mapping[str, Callable[[Mapping[str, Any]], str]]] = {
    "weights": lambda card: f"`{card['file']}`, {card['bytes'] / 1e6:.1f} MB",
    "SHA-256": lambda card: f"`{card['sha256']}`",
    "weights in eight bits": lambda card: (
        "; ".join(map(_twin, card.get("int8", ()))) or "none"
    ),
    "parameters": lambda card: f"{card['parameters']:,}",
    "multiplications per pixel": lambda card: f"{card['macs_per_pixel']:,}",
    "trained on": lambda card: f"{card['device']}, {card['minutes']:.0f} minutes",
    "steps": lambda card: f"{card['steps']:,}",
    "patches seen": lambda card: (
        f"{card['patches']:,} of {card['patch_side']} × {card['patch_side']}, "
        f"from {card['photographs']:,} pictures"
    ),
    "schedule": lambda card: "to its end" if card["finished"] else "**cut short**",
    "with": lambda card: (
        f"PyTorch {card['versions']['torch']}, Python {card['versions']['python']}, "
        f"seed {card['seed']}"
    ),
    "dB at σ = 0 / 15 / 25 / 50": lambda card: " / ".join(
        f"{card['psnr'][sigma]:.1f}" for sigma in _COUNTED
    ),
}


def _twin(told: Mapping[str, Any]) -> str:
    whose = f"σ < {told['below']:g}" if told["below"] else "other noise"
    return f"for {whose} `{told['file']}`, `{told['sha256']}`"


def _numbers(cards: Cards, good: Quality) -> Iterator[str]:
    mine = {card["sha256"] for card in cards.values()}
    mine |= {twin["sha256"] for card in cards.values() for twin in card.get("int8", ())}
    ours = [
        name for name, files in good.weights.items() if mine.issuperset(files.values())
    ]
    if not ours:
        yield "These weights were not measured against other methods yet."
        return
    names = [n for n in good.scores if n in _SHOWN or n.startswith(tuple(ours))]
    rows = [
        [title_of(name), *(f"{mean(good.scores[name], s):.2f}" for s in SIGMAS)]
        for name in names
    ]
    yield table(["mean PSNR, dB", *(f"σ = {sigma}" for sigma in SIGMAS)], rows)
