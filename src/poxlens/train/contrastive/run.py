"""A whole run: images found and kept, the network at its start, a plan, training, and the folder it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from poxlens.data.manifest import Row
from poxlens.errors import TrainingError, WeightsError
from poxlens.train.backbones import Backbone, load_backbone
from poxlens.train.contrastive.encoder import EncoderRecord, encoder_file_sha256, load_encoder, save_encoder
from poxlens.train.contrastive.kept import Pixels, keep_images
from poxlens.train.contrastive.planning import Plan, plan_run, precisions_for
from poxlens.train.contrastive.pool import Asked, Pool, find_images, read_pool
from poxlens.train.contrastive.processes import Processes
from poxlens.train.contrastive.recording import choices_of, read_config, speed, write_config
from poxlens.train.contrastive.reporting import CURVE, PAGE, write_curve, write_page
from poxlens.train.contrastive.settings import PRECISIONS, Precision, Settings
from poxlens.train.contrastive.training import Schedule, Training
from poxlens.train.contrastive.watching import Monitor
from poxlens.train.networks.registry import find_network

CHECKPOINT, CACHE = "checkpoint.pt", "cache"

Step = Callable[[str, int], AbstractContextManager[Callable[..., None]]]
"""(name, total) of a step -> what is called with how many more are done."""


@dataclass(frozen=True)
class Where:
    """Folders and hands of a run."""

    out: Path
    start: str = "random"  # "imagenet", or an encoder that poxlens pretrain left
    weights: tuple[Path, ...] = ()  # folders of pretrained weights
    downloads: Path | None = None  # None forbids downloading
    workers: int = 2
    precision: str = "auto"
    chunk: int = 0
    minutes: float | None = None  # to train no longer


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    plan: Plan
    pool: Pool
    training: Training | None = None  # None where only planned
    done: bool = False

    def told(self, out: Path) -> dict[str, Any]:
        """For --json."""
        found: dict[str, Any] = {
            "plan": self.plan.told(),
            "images": len(self.pool.learnt),
            "excluded": len(self.pool.excluded),
            "watched": len(self.pool.watched),
            "pool_sha256": self.pool.sha256,
            "skipped": [[one.file, one.why] for one in self.pool.skipped],
        }
        if self.training is None:
            return found
        last = self.training.history[-1] if self.training.history else None
        found |= {
            "done": self.done,
            "epochs": self.training.epoch,
            "loss": last.loss if last and last.epoch else None,
            "watched_figures": [
                {"epoch": one.epoch, **one.watched} for one in self.training.history if one.watched
            ],
            "seconds": round(self.training.seconds, 1),
            "processor_seconds": round(self.training.processor, 1),
            "images_per_second": round(speed(self.training), 2) if self.training.losses else None,
            "notes": self.training.notes,
            "curve": str(out / CURVE),
            "page": str(out / PAGE),
        }
        if self.done:
            found |= {"encoder": str(out / "encoder.safetensors"), "sha256": encoder_file_sha256(out)}
        return found


def pretrain(
    asked: Asked,
    settings: Settings,
    where: Where,
    processes: Processes,
    schedule: Schedule,
    *,
    step: Step,
    only_plan: bool = False,
    tell: Callable[[Plan], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Outcome:
    """Pretrain a network on images without labels.

    Args:
        asked: the images.
        settings: how; precision and chunk are found by the plan, or taken from the run that is gone on with.
        where: folders.
        processes: those that share the work; the first of them writes.
        schedule: how often it is kept and watched.
        step: progress.
        only_plan: find out what it would take, and stop.
        tell: called with the plan before training.
        say: told in words what happens on the way, such as that memory does not suffice.

    Raises:
        PoxlensError: images, weights or groups are missing or faulty, or the loss is no number any more.
    """
    encoder, origin = start_of(settings, where)
    pool, images, watched = _images(asked, settings, where, processes, step)
    before = read_config(where.out)
    processes.wait()  # none may look for it after the first has written it
    precisions: tuple[Precision, ...] = precisions_for(where.precision, processes.device)
    chunk = where.chunk
    if before is not None:  # what was found on the day that it began
        precisions, chunk = (before["settings"]["precision"],), int(before["settings"]["chunk"])
    with step("trying a few steps", 1) as done:
        plan = plan_run(len(images), settings, encoder, processes, precisions=precisions, chunk=chunk)
        done(1)
    precision = PRECISIONS[processes.as_the_first(PRECISIONS.index(plan.precision))]
    plan = replace(plan, precision=precision, chunk=processes.as_the_first(plan.chunk))
    if tell:
        tell(plan)
    if only_plan:
        return Outcome(plan, pool)
    settings = replace(settings, precision=plan.precision, chunk=plan.chunk)
    if processes.first and before is None:
        write_config(where.out, settings, asked, pool, origin, plan, processes)
    training = Training(
        images,
        settings,
        encoder,
        where.out / CHECKPOINT,
        identity=pool.sha256 + origin,
        processes=processes,
        schedule=schedule,
    )
    if not schedule.watch_every:
        watched = None
    finished = _train(training, where, pool, watched, origin, processes, step, say)
    return Outcome(plan, pool, training, finished)


def start_of(settings: Settings, where: Where) -> tuple[Backbone, str]:
    """The network as it begins, and what it is in words with a SHA-256.

    Raises:
        WeightsError: its weights are missing or others.
    """
    if where.start == "random":
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            spec = find_network(settings.network)
            found = Backbone([spec], [spec.build(None)])
        origin = "random"
    elif where.start == "imagenet":
        found = load_backbone((settings.network,), where.weights, cache=where.downloads)
        origin = "imagenet"
    else:
        path = Path(where.start)
        if not path.exists():
            raise WeightsError(
                f'--weights must be "random", "imagenet" or an encoder, and {path} is not there'
            )
        found = load_encoder(settings.network, path)
        origin = f"encoder {encoder_file_sha256(path)}"
    found.check_side(settings.side)
    return found, origin


def _images(
    asked: Asked, settings: Settings, where: Where, processes: Processes, step: Step
) -> tuple[Pool, Pixels, Monitor | None]:
    """The first process decodes; the others read what it has written."""
    if not processes.first:
        processes.wait()
    named = find_images(asked)
    with step("hashing files", len({row.path for row in named.rows})) as done:
        pool = read_pool(asked, named, workers=where.workers, advance=done)
    folder = where.out / CACHE
    images, faults = _kept(pool.learnt, folder, settings, where, "learnt", step)
    seen: Pixels | None = None
    if pool.watched:
        seen, more = _kept(pool.watched, folder, settings, where, "watched", step)
        faults = {**faults, **more}
    pool = pool.without(faults)
    if not pool.learnt:
        raise TrainingError("none of the images can be read")
    if processes.first:
        pool.write(where.out)
        processes.wait()
    labels = [row.label for row in pool.watched]
    if seen is None or len(set(labels)) < 2:
        return pool, images, None
    return pool, images, Monitor(seen, labels, [row.group for row in pool.watched], settings.side)


def _kept(
    rows: tuple[Row, ...], folder: Path, settings: Settings, where: Where, name: str, step: Step
) -> tuple[Pixels, dict[Path, str]]:
    with step(f"decoding images ({name})", len(rows)) as done:
        return keep_images(rows, folder, settings.cached_side, name=name, workers=where.workers, advance=done)


def _train(
    training: Training,
    where: Where,
    pool: Pool,
    watched: Monitor | None,
    origin: str,
    processes: Processes,
    step: Step,
    say: Callable[[str], None] | None,
) -> bool:
    settings = training.settings
    until = float("inf") if where.minutes is None else time.monotonic() + 60 * where.minutes
    told = choices_of(training, pool, origin)

    def report() -> None:
        if processes.first:
            write_curve(where.out, training.history)
            write_page(where.out, training, told(), len(pool.skipped))

    left = settings.epochs * training.steps - len(training.losses)
    with step(f"SimCLR {settings.network}, steps", left) as done:
        finished = training.run(
            until=until, advance=done, watch=watched if processes.first else None, report=report, say=say
        )
    report()
    if finished and processes.first:
        record = EncoderRecord(
            network=settings.network,
            method="simclr",
            start=origin,
            side=settings.side,
            epochs=training.epoch,
            images=len(training.images),
            pool_sha256=pool.sha256,
            seed=settings.seed,
        )
        save_encoder(where.out, training.encoder.parts[0].to(memory_format=torch.contiguous_format), record)  # type: ignore[call-overload]
    return finished
