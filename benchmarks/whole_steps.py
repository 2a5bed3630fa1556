"""`python -m benchmarks.whole_steps --out DIR`: steps of SimCLR and of fine-tuning beside the bare network's.

For each network two pieces are measured: a whole step of SimCLR (pixels from a file, two views, network, head, loss,
optimiser) and a whole step of fine-tuning (pixels, augmentation, network, loss, optimiser, average of the weights), as
poxlens's own trainings take them. Beside each the same network runs forward and backward on as many random images and
does nothing else, at the same precision on the same device, in turns in one process. Seconds are those of the wall on
a GPU and of the processor elsewhere; a view counts as an image.

Each piece is kept in DIR as it is done. A run that was stopped, or came to the end of --minutes, is gone on with by
the same command. `--pack TABLE` puts images of a table into DIR, small enough to travel to another machine with it.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from benchmarks.machine import machine
from benchmarks.measure import Result, Side, compare, interleaved, line
from benchmarks.training_steps import (
    Pixels,
    TooLargeError,
    bare_step,
    cached_side,
    clock_of,
    simclr_step,
    tuning_step,
)
from poxlens.data.manifest import read_manifest
from poxlens.errors import PoxlensError, TrainingError
from poxlens.files import sha256_file, write_atomically
from poxlens.train.allocation import keep_freed_memory, lacks_memory
from poxlens.train.contrastive.kept import keep_images
from poxlens.train.contrastive.planning import precisions_for
from poxlens.train.contrastive.settings import PRECISIONS, Precision

TARGET = 0.5
NETWORKS = ("resnext-101-64x4d", "swin-b")  # the largest two of the ten classifiers by arithmetic and by name
KINDS = ("simclr", "fine-tuning")
PIXELS = "pixels.npy"
_LEAST = 4  # images in a batch
_WARM_UP = 3  # pairs; a GPU chooses its kernels in the first


@dataclass(frozen=True)
class Piece:
    """One measurement; a kept one is taken for it when all of this is the same."""

    network: str
    kind: str  # of KINDS
    side: int  # px
    batch: int  # images asked for
    pairs: int  # timed
    precision: Precision
    device: str  # the GPU's name, or "cpu"
    threads: int
    pixels: str  # where they are from

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return f"{self.network.replace(':', '-').replace('/', '-')}-{self.kind}.json"


@dataclass(frozen=True)
class Measured:
    """What a piece came to."""

    batch: int  # images that fitted
    notes: tuple[str, ...]
    result: Result


def main(argv: list[str] | None = None) -> int:
    """Measure what is left: 0 when no target is missed or with --quick, 1 on a miss or a failure, 2 for misuse."""
    options = _options(argv)
    began = time.monotonic()
    try:
        if options.pack:
            print(pack(options.pack, options.out, cached_side(options.side), options.count))
            return 0
        device = _device(options.device)
        if options.threads:
            torch.set_num_threads(options.threads)
        pixels, origin = _pixels(options.out, options.side)
    except (PoxlensError, OSError, ValueError) as fault:
        print(f"whole_steps: {fault}", file=sys.stderr)
        return 2
    keep_freed_memory()
    told = machine()
    told |= {"torch": torch.__version__, "device": _name(device), "threads": torch.get_num_threads()}
    found: dict[str, dict[str, Any]] = {}
    waiting: list[str] = []
    failed: dict[str, str] = {}
    for piece in _pieces(options, device, origin):
        file = options.out / piece.file
        kept = _kept(file, piece)
        if kept is None and time.monotonic() - began >= 60 * options.minutes:
            waiting.append(file.stem)
            continue
        if kept is None:
            print(f"{file.stem} ...", file=sys.stderr, flush=True)
            try:
                kept = _told(piece, measure(piece, device, pixels), told)
            except (
                PoxlensError,
                RuntimeError,
            ) as fault:  # a GPU's faults are RuntimeErrors; the rest is measured
                failed[file.stem] = str(fault)
                continue
            write_atomically(file, json.dumps(kept, indent=1) + "\n")
        found[file.stem] = kept
    _show(found, waiting, failed, told, options)
    missed = any(not one["met"] for one in found.values())
    return 1 if failed or (missed and not options.quick) else 0


def pack(table: Path, out: Path, side: int, count: int) -> str:
    """Decode some of a table's images into one file in `out`, prepared as pretraining does; says what it is.

    Args:
        table: of images, with their SHA-256.
        out: folder of the measurements.
        side: px.
        count: images, spread over the table.

    Raises:
        ManifestError: the table cannot be read.
        ValueError: none of the images can.
    """
    rows = read_manifest(table).rows
    chosen = [rows[place] for place in np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)]
    with TemporaryDirectory(prefix="poxlens-bench-") as folder:
        found, faults = keep_images(chosen, Path(folder), side, name="packed")
        if not len(found):
            raise ValueError(f"{table}: none of its images can be read")
        out.mkdir(parents=True, exist_ok=True)
        np.save(out / PIXELS, found)
    left = f"; {len(faults)} could not be read" if faults else ""
    return f"{out / PIXELS}: {len(found)} images at {side} px, {found.nbytes / 1e6:.0f} MB{left}"


def measure(piece: Piece, device: torch.device, pixels: Pixels | None) -> Measured:
    """Time a piece; where its batch does not fit into the memory, with half of it.

    Args:
        piece: which.
        device: that runs it.
        pixels: [N, C, C, 3] at the cached side, or None for noise.

    Raises:
        TrainingError: the smallest batch does not fit.
        RuntimeError: the step fails for another reason.
    """
    batch, notes = piece.batch, list[str]()
    while True:
        try:
            return Measured(batch, tuple(notes), _timed(piece, batch, device, pixels))
        except (TooLargeError, MemoryError, RuntimeError) as fault:
            if not (isinstance(fault, TooLargeError) or lacks_memory(fault)):
                raise
            if batch // 2 < _LEAST:
                raise TrainingError(f"{batch} images do not fit into the memory") from fault
        gc.collect()  # what the failed step held
        if device.type == "cuda":
            torch.cuda.empty_cache()
        notes.append(f"{batch} images did not fit into the memory: {batch // 2} from there on")
        batch //= 2


def _timed(piece: Piece, batch: int, device: torch.device, pixels: Pixels | None) -> Result:
    name, side, precision = piece.network, piece.side, piece.precision
    clock = clock_of(device)
    images = 2 * batch if piece.kind == "simclr" else batch
    make = simclr_step if piece.kind == "simclr" else tuning_step
    with TemporaryDirectory(prefix="poxlens-bench-") as folder:
        ours = make(Path(folder), name, side, batch, pixels=pixels, device=device, precision=precision)
        bare = bare_step(name, side, images, device=device, precision=precision)
        seconds = interleaved(ours, bare, piece.pairs, warm_up=_WARM_UP, clock=clock)
    rates = tuple([images / one for one in series] for series in seconds)
    return compare(
        f"{name}, {piece.kind}, {side} px, {batch} images, {precision}",
        ("whole step", rates[0]),
        ("bare forward and backward", rates[1]),
        target=TARGET,
        unit=f"images a {'second' if device.type == 'cuda' else 'processor second'}",
        at_most=False,
    )


def _pieces(options: argparse.Namespace, device: torch.device, origin: str) -> Iterator[Piece]:
    precision = precisions_for(options.precision, device)[0]
    batches = dict(zip(KINDS, (options.simclr_batch, options.tuning_batch), strict=True))
    for network in options.network or NETWORKS:
        for kind in KINDS:
            yield Piece(
                network,
                kind,
                options.side,
                batches[kind],
                options.pairs,
                precision,
                _name(device),
                torch.get_num_threads(),
                origin,
            )


def _told(piece: Piece, measured: Measured, where: dict[str, Any]) -> dict[str, Any]:
    return {
        "asked": asdict(piece),
        "batch": measured.batch,
        "notes": list(measured.notes),
        "result": asdict(measured.result),
        "met": measured.result.met,
        "machine": where,
    }


def _kept(file: Path, piece: Piece) -> dict[str, Any] | None:
    """A finished piece; None where there is none, it is damaged, or it is of other settings or another machine."""
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return found if found["asked"] == asdict(piece) and _result(found).n == piece.pairs else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _result(kept: dict[str, Any]) -> Result:
    told = dict(kept["result"])
    ours, theirs = (Side(**told.pop(name)) for name in ("ours", "theirs"))
    return Result(**{**told, "spread": tuple(told["spread"]), "ours": ours, "theirs": theirs})


def _pixels(out: Path, side: int) -> tuple[Pixels | None, str]:
    """The packed images, and where they are from in words with the SHA-256; noise without them.

    Raises:
        ValueError: the file holds something else, or images of another side.
    """
    file = out / PIXELS
    if not file.exists():
        return None, "random"
    found = np.load(file, allow_pickle=False)
    wanted = cached_side(side)
    if found.ndim != 4 or found.shape[1:] != (wanted, wanted, 3) or found.dtype != np.uint8:
        raise ValueError(f"{file} holds no images of {wanted} px: make it anew with --pack and --side {side}")
    return found, f"{len(found)} images, SHA-256 {sha256_file(file)[:16]}"


def _device(asked: str) -> torch.device:
    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise ValueError("--device cuda: PyTorch finds no GPU here")
    return torch.device("cuda", 0) if there and asked != "cpu" else torch.device("cpu")


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def _show(
    found: dict[str, dict[str, Any]],
    waiting: list[str],
    failed: dict[str, str],
    told: dict[str, Any],
    options: argparse.Namespace,
) -> None:
    if options.json:
        print(json.dumps({"quick": options.quick, "pieces": found, "waiting": waiting, "failed": failed}))
        return
    print("  ".join(f"{name}: {value}" for name, value in told.items()))
    for kept in found.values():
        print(f"{line(_result(kept), quick=options.quick)}; pixels: {kept['asked']['pixels']}")
        for note in kept["notes"]:
            print(f"      {note}")
    for name, why in failed.items():
        print(f"FAILED  {name}: {why}")
    if waiting:
        print(f"not measured yet: {', '.join(waiting)}; the same command goes on with them")


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.whole_steps",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the measurements")
    parser.add_argument(
        "--network", action="append", help=f"name in the registry; repeatable; default: {', '.join(NETWORKS)}"
    )
    parser.add_argument("--side", type=int, default=224, help="px of a view and of a fine-tuned image")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--precision",
        choices=("auto", *PRECISIONS),
        default="auto",
        help="auto: bf16, or fp16 where a GPU has no bf16; fp32 on a CPU",
    )
    parser.add_argument("--simclr-batch", type=int, default=256, help="images, two views each")
    parser.add_argument("--tuning-batch", type=int, default=64, help="images")
    parser.add_argument("--pairs", type=int, default=12, help="timed pairs")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no piece later")
    parser.add_argument("--threads", type=int, default=0, help="of PyTorch; 0: its own choice")
    parser.add_argument("--pack", type=Path, metavar="TABLE", help="only put images of this table into DIR")
    parser.add_argument("--count", type=int, default=128, help="images of --pack")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="few small images: tries it, judges nothing")
    found = parser.parse_args(argv)
    if found.quick:
        found.side, found.simclr_batch, found.tuning_batch, found.pairs = 32, 4, 4, 2
    if min(found.simclr_batch, found.tuning_batch) < _LEAST or min(found.pairs, found.count) < 1:
        parser.error(f"a batch holds at least {_LEAST} images, and at least one pair and image is needed")
    return found


if __name__ == "__main__":
    sys.exit(main())
