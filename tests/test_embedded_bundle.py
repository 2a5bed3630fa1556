"""The bundle that ships: its size, its card, and that its finding comes from the lesions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy import table

from poxlens.bundle.store import embedded_path, load
from poxlens.data.phantom import draw, random_spec
from poxlens.photo.decode import Photo
from poxlens.screen.engine import probabilities
from poxlens.screen.screener import Screener

ROOT = Path(__file__).parents[1]
SEEDS = range(100, 120)  # fixed before the first look


@pytest.fixture(scope="module")
def screener():
    return Screener()


def target_probability(screener, pixels):
    """Calibrated probability of the target, gates or not."""
    manifest = screener.bundle.manifest
    prepared = screener.engine.run(_prepared(pixels, manifest))
    return probabilities(prepared.logits[0], manifest.calibration.temperature)[manifest.classes.index("mpox")]


def _prepared(pixels, manifest):
    from poxlens.photo.resize import prepare

    return prepare(pixels, manifest.input)[np.newaxis]


def test_it_is_small_enough_to_carry():
    files = [path for path in embedded_path().rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 12_000_000


AGAINST_FLOATS = " against 32-bit floats"


def test_its_card_and_the_guide_tell_its_own_figures():
    bundle = load()
    card = bundle.read("MODEL_CARD.md").decode()
    for figure in bundle.manifest.evidence.figures:
        value, low, high = figure.interval.value, figure.interval.low, figure.interval.high
        if AGAINST_FLOATS in figure.group:  # a table of its own, a row a form, in points
            form, _, part = figure.group.partition(AGAINST_FLOATS)
            runtime, precision = form.split()
            start = f"| model-{precision}.{'tflite' if runtime == 'litert' else 'onnx'} | {part.strip(', ') or 'all'} |"
            (row,) = [line for line in card.splitlines() if line.startswith(start)]
            assert f" {100 * value:+.2f} ({100 * low:+.2f} to {100 * high:+.2f};" in row
            continue
        assert f"| {figure.group} | {figure.name} | {value:.3f} | {low:.3f} to {high:.3f} |" in card
    assert table(bundle.manifest) in (ROOT / "docs" / "accuracy.md").read_text()


def test_the_page_counts_rightly_how_little_is_left_without_a_source():
    """Its own snippet, with its own assertions, on the committed groups."""
    text = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    code = text.split("```python\n")[1].split("```")[0]
    assert "left) == 29" in code
    exec(code.replace('Path("results', f'Path("{ROOT.as_posix()}/results'), {})


def test_without_its_lesions_a_phantom_is_no_finding(screener):
    """Pustules and vesicles drawn on skin are found; the same skin, light and noise without them is not."""
    rule_out = screener.bundle.manifest.rule_out.threshold
    with_lesions, without = [], []
    for seed in SEEDS:
        for lesion in ("umbilicated-pustule", "vesicle"):
            phantom = draw(random_spec(seed, size=256, lesion=lesion))
            with_lesions.append(target_probability(screener, phantom.image))
            without.append(target_probability(screener, phantom.clean))
    assert np.mean(np.array(with_lesions) >= rule_out) >= 0.95
    assert np.mean(np.array(without) < np.array(with_lesions) / 4) >= 0.95
    assert np.mean(without) < 0.1


def test_a_phantom_of_healthy_skin_is_not_referred(screener):
    outcomes = []
    for seed in SEEDS:
        pixels = draw(random_spec(seed, size=256, lesion="none")).image
        outcomes.append(screener.screen(Photo(pixels, 256, 256, "png")).outcome.value)
    assert "refer" not in outcomes
