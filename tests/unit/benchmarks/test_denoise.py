"""The denoiser's report: what is compared, what is kept, and what is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.denoise import findings
from benchmarks.denoise.clean import Estimates, Kept, estimates
from benchmarks.denoise.findings import Quality, Speed
from benchmarks.denoise.ours import Ours
from benchmarks.denoise.plots import draw
from benchmarks.denoise.quality import SHOWN, SIGMAS, Score, Scores, compared, mean
from benchmarks.denoise.report import document
from benchmarks.denoise.rivals import RIVALS, Rival
from benchmarks.denoise.speed import EAGER, SIZES, Pace, Size, noisy_file, paces
from benchmarks.denoise.verdicts import verdicts
from PIL import Image
from tests.networks import blurring
from training.photos import held_out

CROP = 192
QUALITY = Ours("quality", "float32")
OWN = Rival(
    name="nlm",  # drawn and told under a name that the report knows
    title="a share of the noisy picture",
    package="numpy",
    settings=(0.2, 1.0, 0.5),
    run=lambda noisy, _, share: noisy * share,
)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return blurring(tmp_path_factory.mktemp("models"), "quality")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def scores(models: Path, work: Path) -> Scores:
    return compared(held_out(CROP), [OWN], {QUALITY: models}, work, lambda _: None)


def test_of_a_rivals_settings_the_best_one_counts(scores: Scores) -> None:
    """Half a picture and a fifth of one are darker than any noise is bad."""
    assert {score.setting for score in scores["nlm"]} == {1.0}
    for sigma in SIGMAS:
        assert mean(scores["nlm"], sigma) == mean(scores["noisy"], sigma)


def test_a_blur_is_better_than_noise_and_worse_than_half_of_it(scores: Scores) -> None:
    """The numbers are what they are called."""
    assert mean(scores["noisy"], 25) == pytest.approx(20.6, abs=0.3)
    assert mean(scores["quality-float32"], 50) > mean(scores["noisy"], 50) + 5
    assert mean(scores["quality-float32"], 50, "ssim") > mean(
        scores["noisy"], 50, "ssim"
    )


def test_rivals_are_not_asked_twice(scores: Scores, models: Path, work: Path) -> None:
    """BM3D takes minutes, and answers the same each time."""
    never = replace(OWN, run=lambda *_: pytest.fail("it was asked again"))
    again = compared(held_out(CROP), [never], {QUALITY: models}, work, lambda _: None)
    assert again["nlm"] == scores["nlm"]


def test_every_rival_has_a_package_that_the_benchmark_installs() -> None:
    lock = (Path(__file__).parents[3] / "requirements" / "bench.txt").read_text()
    assert all(f"\n{rival.package}==" in lock for rival in RIVALS)


def told(scores: Scores) -> Quality:
    return Quality(
        crop=CROP,
        facts={"processor": "one"},
        weights={"quality-float32": {"denoise-quality.onnx": "0" * 64}},
        scores=scores,
        others=scores,
        unharmed={"quality-float32": [at("china", 0, 41.0), at("rocket", 0, 39.0)]},
        estimates=[Estimates(photo="china", width=1, height=1, found=dict.fromkeys(map(str, (0, 5, 15, 25, 50)), 1.0))],
        kept=[Kept(photo="china", model="quality-float32", noise_sigma=0.3, skipped=True, psnr=99.0, changed=0.0)],
    )  # fmt: skip


def at(photo: str, sigma: int, psnr: float) -> Score:
    return Score(photo=photo, sigma=sigma, psnr=psnr, ssim=0.9, setting=0.0)


def timed() -> Speed:
    paces = [
        Pace(name, SIZES[1], wall_ms=[1000.0], cpu_ms=[cpu], peak_mb=peak)
        for name, cpu, peak in (
            ("quality-float32", 40_000.0, 300.0),
            ("fast-float32", 8_000.0, 200.0),
            (EAGER, 60_000.0, 5_000.0),
        )
    ]
    return Speed(facts={}, floors={"float32": 50e9}, paces=paces, by_chance=[])


def test_what_was_not_measured_is_called_so(scores: Scores) -> None:
    held = {verdict.what: verdict for verdict in verdicts(told(scores), None)}
    words = {what: verdict.word for what, verdict in held.items()}
    assert (
        words["PSNR above colour BM3D's, quality-float32, the best here, σ = 25"]
        == "not measured"
    )
    assert words["peak RSS of a process, any network and size"] == "not measured"
    worst = "quality-float32 on the worst photo without noise, were it not skipped"
    assert (held[worst].value, words[worst]) == (39.0, "MISSED")
    runs = "quality-float32 on the worst photo without noise, as it runs"
    assert (held[runs].value, words[runs]) == (99.0, "met")


def test_the_best_network_that_is_here_is_held_against_bm3d(scores: Scores) -> None:
    """A miss is told, whichever it is."""
    rows = {"bm3d": scores["noisy"], "fast-float32": scores["quality-float32"]}
    first = verdicts(replace(told(scores), scores=rows), None)[0]
    assert first.what.startswith("PSNR above colour BM3D's, fast-float32")
    assert first.value is not None


def test_speed_is_held_against_what_it_replaces() -> None:
    """And PyTorch's memory is not counted as ours."""
    held = {verdict.what: verdict.value for verdict in verdicts(None, timed())}
    eager = "speed of fast-float32 ÷ PyTorch eager, 4 MP, processor time"
    assert held[eager] == pytest.approx(7.5)
    assert held["peak RSS of a process, any network and size"] == 300.0


def test_the_report_is_the_same_from_what_was_kept(
    scores: Scores, tmp_path: Path
) -> None:
    good, quick = told(scores), timed()
    findings.save(good, tmp_path / "quality.json")
    findings.save(quick, tmp_path / "speed.json")
    again = findings.quality(tmp_path / "quality.json")
    assert document(good, quick, {}) == document(
        again, findings.speed(tmp_path / "speed.json"), {}
    )
    assert findings.speed(tmp_path / "nothing.json") is None


def test_a_size_that_is_timed_again_takes_the_place_of_its_like() -> None:
    before, now = timed(), timed()
    before.paces += [Pace("fast-float32", SIZES[0], wall_ms=[1.0], cpu_ms=[1.0])]
    now.paces = [Pace("fast-float32", SIZES[1], wall_ms=[2.0], cpu_ms=[2.0])]
    both = findings.merged(now, before).paces
    assert [(pace.size.title, pace.cpu_ms) for pace in both] == [
        ("1 MP", [1.0]),
        ("4 MP", [2.0]),
    ]


def test_the_report_says_what_is_missing(scores: Scores) -> None:
    text = document(told(scores), timed(), {})
    assert "There are no weights of `fast` here yet." in text
    assert "**MISSED**" in text
    assert "| **PixTools quality**, float32 | 4 MP |" in text


def test_crops_of_all_methods_lie_side_by_side(
    scores: Scores, work: Path, tmp_path: Path
) -> None:
    drawn = draw(told(scores), None, work, tmp_path / "img")
    with Image.open(tmp_path / drawn["crops"]) as page:
        columns = 4  # clean, noisy, the one rival, quality
        assert page.size == (columns * CROP, len(SHOWN) * (CROP + 18))


def test_noise_is_estimated_for_every_photograph() -> None:
    rows = estimates()
    assert len(rows) == 7
    assert all(row.found["25"] > row.found["5"] > row.found["0"] for row in rows)


def test_a_process_is_timed_while_it_denoises(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIXTOOLS_BENCH_TORCH", raising=False)
    size = Size("tiny", 96, 64, 1)
    grain = np.random.default_rng(1).integers(90, 160, (64, 96, 3), np.uint8)
    Image.fromarray(grain).save(tmp_path / "noisy-96.jpg", quality=95)
    assert noisy_file(size, tmp_path) == tmp_path / "noisy-96.jpg"
    (pace,) = paces({QUALITY: models}, [size], tmp_path, lambda _: None)
    assert (pace.name, len(pace.cpu_ms)) == ("quality-float32", 1)
    assert pace.per_cpu_second > 0
    assert pace.peak_mb > 20
