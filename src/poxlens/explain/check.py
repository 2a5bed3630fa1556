"""Do a bundle's heat maps deserve trust? Every check of `checks` on the phantoms of `trial`, in one go."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import numpy as np

from poxlens.evaluate.statistic import Floats
from poxlens.explain import trial
from poxlens.explain.checks import (
    LEAST_ENERGY,
    RANDOM_SEEDS,
    Advance,
    Images,
    accepted,
    batches,
    by_area,
    chance_agreement,
    deletion,
    on_lesions,
    randomisation,
    steadiness,
    unstable,
)
from poxlens.explain.graph_module import onnx_model
from poxlens.explain.randomise import STAGES
from poxlens.explain.record import Checked
from poxlens.screen.engine import Engine, probabilities
from poxlens.screen.stability import LIMIT, mirrored

if TYPE_CHECKING:
    from poxlens.bundle.store import Bundle

RANDOMISED = 20  # phantoms
CURVES = 60  # phantoms

Step = Callable[[str, int], AbstractContextManager[Advance]]


def silent(name: str, total: int) -> AbstractContextManager[Advance]:
    """A progress display that shows nothing."""
    del name, total
    return nullcontext(lambda _: None)


def check(bundle: Bundle, *, step: Step = silent, engine: Engine | None = None) -> Checked:
    """Run every check of a bundle.

    Args:
        bundle: verified.
        step: shows progress.
        engine: the bundle's, where there is one already.

    Raises:
        BundleError: the model cannot be run.
        ExplanationError: the model cannot be randomised.
    """
    engine = engine or Engine(bundle)
    manifest = bundle.manifest
    target = manifest.classes.index(manifest.target)
    with step("drawing phantoms", len(trial.TARGET_SEEDS)) as done:
        tried = trial.drawn(trial.TARGET_SEEDS, manifest.input, lesion=trial.TARGET_LESION, advance=done)
    outputs = batches(engine.run, tried.images)
    maps = outputs.heatmap[:, target]
    figures = [*on_lesions(maps, tried, trial.TARGET_LESION, LEAST_ENERGY)]
    known = outputs.novelty <= manifest.gate.novelty_limit
    figures += [*by_area(maps, tried, known), accepted(known)]
    with step("other lesions", len(trial.OTHER_SEEDS)) as done:
        for kind, seeds in trial.OTHER_SEEDS.items():
            other = trial.drawn(seeds, manifest.input, lesion=kind)
            found = batches(engine.run, other.images)
            chosen = found.heatmap[np.arange(len(seeds)), found.logits.argmax(1)]
            figures += on_lesions(chosen, other, kind, None)
            done(1)
    with step("randomising the model", len(STAGES) * len(RANDOM_SEEDS)) as done:
        model = onnx_model(bundle)  # whatever runtime the others are of: weights are shuffled in this one
        figures += randomisation(model, manifest.input.size, tried.images[:RANDOMISED], target, done)

    def likely(images: Images) -> Floats:
        logits = batches(engine.run, images).logits
        return np.asarray(probabilities(logits, manifest.calibration.temperature)[:, target], np.float64)

    with step("hiding and showing", CURVES) as done:
        figures += deletion(tried.images[:CURVES], maps, likely, done)
    with step("mirrored and shifted", 2) as done:
        figures += steadiness(engine.run, tried.images, maps, target, trial.TARGET_LESION, done)
    with step("agreement by chance", len(trial.LIMIT_SEEDS)) as done:
        mixed = trial.drawn(trial.LIMIT_SEEDS, manifest.input, advance=done)
    every = batches(engine.run, mixed.images).heatmap[:, target]
    of_mirrored = batches(engine.run, mirrored(mixed.images)).heatmap[:, target]
    figures.append(unstable(every, of_mirrored, "phantoms, any lesion and healthy skin"))
    return Checked(bundle.label, manifest.target, tuple(figures), chance_agreement(every, of_mirrored), LIMIT)
