"""What is written down of a run: its choices in config.json, and in words on its page."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from poxlens.errors import TrainingError
from poxlens.files import sha256_file, write_atomically
from poxlens.train.contrastive.planning import Plan
from poxlens.train.contrastive.pool import Asked, Pool
from poxlens.train.contrastive.processes import Processes
from poxlens.train.contrastive.settings import Settings
from poxlens.train.contrastive.training import Training

CONFIG = "config.json"
_PACKAGES = ("torch", "torchvision", "timm", "lightly", "numpy", "pillow", "poxlens")


def speed(training: Training) -> float:
    """Images a second over all steps, two views each."""
    return len(training.losses) * training.batch / max(training.seconds, 1e-9)


def choices_of(training: Training, pool: Pool, origin: str) -> Callable[[], dict[str, str]]:
    """What was chosen and found, name -> words, for the page; as it is when it is called."""

    def rows() -> dict[str, str]:
        settings = training.settings
        rate = f"{settings.optimiser}, rate {settings.learning_rate:g}, warm-up of {settings.warm_up} epochs"
        return {
            "start": origin,
            "batch": f"{training.batch} images, {training.chunk} of them in the network at once",
            "optimiser": rate,
            "temperature": f"{settings.temperature:g}",
            "precision": settings.precision,
            "views": ", ".join(f"{name} {value:g}" for name, value in asdict(settings.views).items()),
            "seed": str(settings.seed),
            "left out": f"{len(pool.excluded):,} images, by name, SHA-256 or group: excluded.csv",
            "list of images (SHA-256)": pool.sha256,
            "speed": f"{speed(training):.1f} images a second, two views each" if training.losses else "",
        }

    return rows


def read_config(out: Path) -> dict[str, Any] | None:
    """config.json of the run that is gone on with, None where there is none.

    Raises:
        TrainingError: it is damaged.
    """
    try:
        found: dict[str, Any] = json.loads((out / CONFIG).read_text("utf-8"))
        found["settings"]["precision"], found["settings"]["chunk"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as fault:
        raise TrainingError(f"{out / CONFIG} is damaged: {fault}. Name another folder.") from fault
    return found


def write_config(
    out: Path, settings: Settings, asked: Asked, pool: Pool, origin: str, plan: Plan, processes: Processes
) -> None:
    """config.json: every choice, and what the run depends on.

    Args:
        out: run folder.
        settings: of the run.
        asked: the images, as they were named.
        pool: the images, as they were found.
        origin: what the network began as.
        plan: what was expected.
        processes: those that share the work.
    """
    tables = {
        kind: {str(path): sha256_file(path) if path.is_file() else "" for path in paths}
        for kind, paths in (("sources", asked.sources), ("exclude", asked.exclude), ("watch", asked.watch))
    }
    told = {
        "method": "simclr",
        "settings": asdict(settings),
        "start": origin,
        "pool": {
            "images": len(pool.learnt),
            "sha256": pool.sha256,
            "excluded": len(pool.excluded),
            "skipped": len(pool.skipped),
            "watched": len(pool.watched),
            **tables,
            "exclude_rows": [dict(one) for one in asked.exclude_rows],
            "groups": sha256_file(asked.groups) if asked.groups else "",
        },
        "plan": plan.told(),
        "machine": {
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "device": processes.device.type,
            "processes": processes.count,
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        "versions": {name: version(name) for name in _PACKAGES},
    }
    write_atomically(out / CONFIG, json.dumps(told, indent=1) + "\n")
