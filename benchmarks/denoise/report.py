"""The report: every number of it was measured by the runs that are named in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from benchmarks.denoise.clean import SIGMAS as ADDED
from benchmarks.denoise.findings import Quality, Speed
from benchmarks.denoise.ours import ALL
from benchmarks.denoise.quality import SHOWN_AT, SIGMAS, Scores, mean
from benchmarks.denoise.rivals import RIVALS
from benchmarks.denoise.speed import EAGER, Pace
from benchmarks.denoise.verdicts import pace, verdicts
from benchmarks.report import listed, table, targets
from pixtools.engine.denoise.clean import CLEAN_BELOW
from pixtools.engine.denoise.variants import QUALITY, VARIANTS

_GOOD: Final = """\
The photographs are those that scikit-learn and scikit-image carry, {names}: the middle
{crop} × {crop} pixels of each. No network has learnt from them; training reports its
progress on them. Noise is Gaussian, drawn from fixed seeds, not cut off at black and
white. The other methods are told the true σ, and the setting of each is the
one that is best for that σ on these very photographs. *σ estimated* is how `fast` runs
in the service; `quality` is never told σ. *Eight bits* is as photographs come and go:
the noisy picture is cut off and rounded first, the answer is rounded. PSNR is of all
three colours together, SSIM has a Gaussian window of σ = 1.5. Means over the
photographs, decibels and SSIM."""

_UNSEEN: Final = """\
The photographs above were looked at while the scenes were drawn from which the networks
learn, and training reports its progress on them. On these pictures nothing was ever
chosen by: {names}, the middle {crop} × {crop} pixels, which matplotlib and scikit-image
carry. Most of them are no photographs of everyday things."""

_CLEAN: Final = """\
The whole photographs, as they are shipped, sent through the engine as PNG. Where the
estimate is below {below:g} the network does not run and every pixel stays. These went
through JPEG or a scanner before: what is estimated here is no error in itself."""

_ESTIMATES: Final = """\
σ as estimated, by the σ that was added to the whole photograph before it was rounded to
eight bits."""

_QUICK: Final = """\
A photograph with noise of σ = 25, a JPEG, through `engine.render` to a JPEG, in a fresh
process as pixel children are started, its network open; reading, the estimate, tiles
and writing are all in it.
PyTorch runs the quality network in eager mode on the whole picture at once, reading and
writing nothing, as the first PixTools did. Contenders took turns; each number is the
median of its rounds. *Per CPU second* counts the processor time of all threads: other
load on the machine moves it little, but the clock on the wall a lot. *Of the floor* is
that number by what the network's multiplications alone would take at the speed at which
one core here multiplies matrices of 1152 × 1152: {floors}."""


def document(
    good: Quality | None, quick: Speed | None, pictures: Mapping[str, str]
) -> str:
    """The whole report; `pictures` are paths relative to it, by name."""
    blocks = [
        "# How well noise goes, and how fast",
        "Written by `python -m benchmarks.denoise`; do not edit.",
        "## Targets",
        table(*targets(verdicts(good, quick))),
        *(_about_quality(good, pictures) if good else ()),
        *(_about_speed(quick, pictures) if quick else ()),
    ]
    return "\n\n".join(blocks) + "\n"


def title_of(name: str) -> str:
    """How a method is called in tables."""
    titles = {one.name: one.title for one in ALL}
    titles |= {f"{one.name}-estimated": f"{one.title}, σ estimated" for one in ALL}
    titles |= {f"{one.name}-served": f"{one.title}, eight bits" for one in ALL}
    titles |= {rival.name: rival.title for rival in RIVALS}
    titles |= {EAGER: "quality, PyTorch eager", "noisy": "noisy"}
    return titles[name]


def _about_quality(found: Quality, pictures: Mapping[str, str]) -> Iterator[str]:
    names = _photos(found.scores)
    yield "## How well"
    yield listed(found.facts)
    weights = [
        [name, file, sha[:16]]
        for name, files in found.weights.items()
        for file, sha in files.items()
    ]
    yield table(["weights", "file", "SHA-256"], weights)
    missing = [
        one for one in VARIANTS if not any(n.startswith(one) for n in found.weights)
    ]
    yield from (f"There are no weights of `{one}` here yet." for one in missing)
    yield _GOOD.format(names=_and(names), crop=found.crop)
    yield table(["", *(f"σ = {sigma}" for sigma in SIGMAS)], list(_means(found.scores)))
    if "psnr" in pictures:
        yield f"![Decibels by method and noise]({pictures['psnr']})"
    yield f"### By photograph, σ = {SHOWN_AT}"
    yield table(*_by_photo(found.scores))
    if "crops" in pictures:
        yield f"![Crops side by side, σ = {SHOWN_AT}]({pictures['crops']})"
    yield from _about_others(found)
    yield "### Photographs without added noise"
    yield _CLEAN.format(below=CLEAN_BELOW)
    yield table(*_kept(found))
    yield _ESTIMATES
    rows = [
        [
            one.photo,
            f"{one.width} × {one.height}",
            *(f"{one.found[str(s)]:.1f}" for s in ADDED),
        ]
        for one in found.estimates
    ]
    yield table(["added", "size", *map(str, ADDED)], rows)


def _about_others(found: Quality) -> Iterator[str]:
    yield "### Pictures that no choice was made by"
    yield _UNSEEN.format(names=_and(_photos(found.others)), crop=found.crop)
    yield table(["", *(f"σ = {s}" for s in SIGMAS)], list(_means(found.others)))
    yield f"By picture, σ = {SHOWN_AT}:"
    yield table(*_by_photo(found.others))


def _photos(scores: Scores) -> list[str]:
    return list(dict.fromkeys(score.photo for score in scores["noisy"]))


def _means(found: Scores) -> Iterator[list[str]]:
    for name, scores in found.items():
        yield [
            title_of(name),
            *(
                f"{mean(scores, sigma):.2f} ({mean(scores, sigma, 'ssim'):.3f})"
                for sigma in SIGMAS
            ),
        ]


def _by_photo(found: Scores) -> tuple[list[str], list[list[str]]]:
    shown = [n for n in found if n.startswith(("noisy", "bm3d", *VARIANTS))]
    cells = {
        (name, score.photo): f"{score.psnr:.2f}"
        for name in shown
        for score in found[name]
        if score.sigma == SHOWN_AT
    }
    rows = [
        [photo, *(cells[name, photo] for name in shown)] for photo in _photos(found)
    ]
    return ["", *(title_of(name).replace("*", "") for name in shown)], rows


def _kept(found: Quality) -> tuple[list[str], list[list[str]]]:
    head = [
        "",
        "photograph",
        "σ estimated",
        "",
        "PSNR to the input, dB",
        "values changed",
    ]
    rows = [
        [
            one.model,
            one.photo,
            f"{one.noise_sigma:.2f}",
            "skipped" if one.skipped else "cleaned",
            "the same" if one.changed == 0 else f"{one.psnr:.1f}",
            f"{100 * one.changed:.0f} %",
        ]
        for one in found.kept
    ]
    return head, rows


def _about_speed(found: Speed, pictures: Mapping[str, str]) -> Iterator[str]:
    yield "## How fast"
    yield listed(found.facts)
    floors = [
        f"{rate / 1e9:.0f} · 10⁹ a second in {name}"
        for name, rate in found.floors.items()
    ]
    yield _QUICK.format(floors=_and(floors))
    if found.by_chance:
        named = _and([f"`{name}`" for name in found.by_chance])
        yield f"{named} ran with weights of chance, which takes as long as any others."
    yield table(*_paces(found))
    if "speed" in pictures:
        yield f"![Megapixels per CPU second]({pictures['speed']})"


def _paces(found: Speed) -> tuple[list[str], list[list[str]]]:
    head = [
        "",
        "size",
        "MP/s",
        "MP per CPU second",
        "of the floor",
        "× PyTorch",
        "peak MB",
    ]
    rows = []
    for one in found.paces:
        eager = pace(found, EAGER, one.size.title)
        rows.append(
            [
                title_of(one.name),
                one.size.title,
                f"{one.per_second:.3f}",
                f"{one.per_cpu_second:.3f}",
                _share(one, found.floors),
                f"{one.per_cpu_second / eager.per_cpu_second:.1f}" if eager else "–",
                f"{one.peak_mb:.0f}",
            ]
        )
    return head, rows


def _share(one: Pace, floors: Mapping[str, float]) -> str:
    model, _, precision = one.name.partition("-")
    variant, rate = VARIANTS.get(model, QUALITY), floors.get(precision or "float32")
    if rate is None:
        return "–"
    return f"{100 * one.per_cpu_second * 1e6 * variant.macs_per_pixel / rate:.0f} %"


def _and(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
