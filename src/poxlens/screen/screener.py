"""One photo, or a stream of photos, and a bundle: the decisions. decode -> quality -> engine -> decision."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np

from poxlens.bundle.store import Bundle, load
from poxlens.errors import PhotoError
from poxlens.photo.decode import UNREADABLE, Photo, decode
from poxlens.photo.quality import canonical, check_quality
from poxlens.photo.resize import prepare
from poxlens.photo.skin import skin_mask, skin_tone
from poxlens.screen.background import available_cores
from poxlens.screen.decision import Context, Decision, decide
from poxlens.screen.engine import Engine, prediction_set, probabilities
from poxlens.screen.reasons import Reason
from poxlens.screen.stability import mirrored, stability

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

    from poxlens.photo.quality import QualityCheck

Source = str | Path | bytes | BinaryIO | Photo
Item = TypeVar("Item", bound=Source)


class Screener:
    """Screens photos with one bundle. Safe to share between threads; nothing of a photo is kept.

    Args:
        bundle: a loaded bundle, the path of one (folder or .zip), or None for the embedded one.
        threads: threads within one model run; 1 is best when photos are screened side by side.
        engine: the bundle's, where there is one already; None to load it.
        check_maps: look whether each heat map holds still when the photo is mirrored, with one more pass of the model;
            for whoever shows the maps. The decision is the same.

    Raises:
        BundleError: when the bundle is damaged, or gives other numbers than it promises.
    """

    def __init__(
        self,
        bundle: Bundle | Path | str | None = None,
        *,
        threads: int = 1,
        engine: Engine | None = None,
        check_maps: bool = False,
    ) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else load(None if bundle is None else Path(bundle))
        self.engine = Engine(self.bundle, threads=threads) if engine is None else engine
        self._check_maps = check_maps

    def screen(self, photo: Source, *, context: Context | None = None) -> Decision:
        """The decision on one photo. A photo that cannot be read is a decision too (`unreadable.*`), never an
        error.

        Args:
            photo: path, encoded bytes, open binary file, or a photo already decoded.
            context: answers about the person.

        Raises:
            BundleError: when the model fails on this photo.
        """
        start = perf_counter()
        ms = {"decode": 0.0, "quality": 0.0, "model": 0.0}
        try:
            decoded = photo if isinstance(photo, Photo) else decode(photo)
        except PhotoError as fault:
            decision = self._unreadable(fault, context)
            ms["decode"] = _since(start)
        else:
            ms["decode"] = _since(start)
            decision = self._judge(decoded, context, ms)
        return replace(decision, ms={**ms, "total": sum(ms.values())})

    def screen_many(
        self, photos: Iterable[Item], *, workers: int | None = None, context: Context | None = None
    ) -> Iterator[tuple[Item, Decision]]:
        """The decisions on many photos, in their order, as they are ready; memory does not grow with their
        number.

        Args:
            photos: read one by one, at most two for each worker ahead of what was asked for.
            workers: threads that decode and run the model; None for one a core this process may use.
            context: answers about the person, if they all show the same.

        Raises:
            ValueError: when workers is below 1.
            BundleError: when the model fails on a photo.
        """
        workers = available_cores() if workers is None else workers
        if workers < 1:
            raise ValueError(f"workers must be 1 or more, not {workers}")
        return self._stream(photos, workers, context)

    def _stream(
        self, photos: Iterable[Item], workers: int, context: Context | None
    ) -> Iterator[tuple[Item, Decision]]:
        from concurrent.futures import ThreadPoolExecutor  # 9 ms, not needed for one photo

        pending: deque[tuple[Item, Future[Decision]]] = deque()
        pool = ThreadPoolExecutor(workers, thread_name_prefix="poxlens")
        try:
            for item in photos:
                pending.append((item, pool.submit(self.screen, item, context=context)))
                if len(pending) >= 2 * workers:
                    first, future = pending.popleft()
                    yield first, future.result()
            while pending:
                first, future = pending.popleft()
                yield first, future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _unreadable(self, fault: PhotoError, context: Context | None) -> Decision:
        why = Reason(fault.reason, UNREADABLE.get(fault.reason, fault.client_message))
        return decide(self.bundle.manifest, bundle=self.bundle.label, unreadable=why, context=context)

    def _judge(self, photo: Photo, context: Context | None, ms: dict[str, float]) -> Decision:
        manifest = self.bundle.manifest
        start = perf_counter()
        small = canonical(photo.pixels)
        mask = skin_mask(small)
        checks: tuple[QualityCheck, ...] = check_quality(photo, manifest.gate.quality, mask)
        tone = skin_tone(small, mask)
        ms["quality"] = _since(start)
        if not all(check.passed for check in checks):
            decision = decide(manifest, bundle=self.bundle.label, quality=checks, context=context)
            return replace(decision, skin_tone=tone)
        start = perf_counter()
        prepared = prepare(photo.pixels, manifest.input)
        ms["model"] = _since(start)
        self.engine.loaded()  # waiting for a load is not this photo's time
        start = perf_counter()
        outputs = self.engine.run(prepared[np.newaxis])
        ms["model"] += _since(start)
        calibrated = probabilities(outputs.logits[0], manifest.calibration.temperature)
        by_class = dict(zip(manifest.classes, calibrated.tolist(), strict=True))
        decision = decide(
            manifest,
            bundle=self.bundle.label,
            quality=checks,
            novelty=float(outputs.novelty[0]),
            skin_fraction=float(mask.mean()),
            probabilities=by_class,
            prediction_set=prediction_set(by_class, manifest),
            context=context,
        )
        heatmaps = outputs.heatmap[0]
        target = manifest.classes.index(manifest.target)
        steady = None
        if self._check_maps:
            start = perf_counter()
            other = self.engine.run(mirrored(prepared[np.newaxis])).heatmap[0, target]
            steady = stability(heatmaps[target], other)
            ms["heatmap"] = _since(start)
        return replace(
            decision,
            skin_tone=tone,
            heatmap=heatmaps[target],
            heatmaps=heatmaps,
            heatmap_stability=steady,
            prepared=prepared,
        )


def _since(start: float) -> float:
    return (perf_counter() - start) * 1000.0
