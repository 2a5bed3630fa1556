"""`python -m benchmarks.clinic`: the clinic's server under load, beside the bare engine and a plain handler.

Servers, engine and clients share the same cores, so that what the clients cost counts against the servers. The sides
take turns in rounds; processor time per photo is told beside the throughput, as other work on the machine hardly moves
it.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.clinic_server import Line, Server, clinic, plain
from benchmarks.clinic_worklist import worklist
from benchmarks.machine import machine
from poxlens.data.phantom import draw, random_spec
from poxlens.screen.background import available_cores
from poxlens.screen.screener import Screener

PARTS = ("screening", "camera", "memory", "worklist")
SHARES = (0.5, 0.9, 2.0)
"""Loads, as shares of the throughput measured before."""


@dataclass
class Load:
    """What happened at one load."""

    share: float
    offered: float  # requests a second
    answered: int
    refused: int  # 503 with Retry-After
    p50: float  # ms, of those answered
    p95: float
    p99: float


@dataclass
class Rounds:
    """Photos a second and processor milliseconds a photo of one side."""

    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def main() -> int:
    """Measure and print; 0 when the targets are met, 1 on a miss."""
    options = _options()
    photos = [_photo(seed) for seed in range(8)]
    told: dict[str, Any] = {"machine": machine(), "quick": options.quick}
    with TemporaryDirectory(prefix="poxlens-bench-") as folder:
        if "worklist" in options.only:
            told["worklist"] = worklist(Path(folder), options.referrals)
        if "screening" in options.only:
            with clinic(Path(folder) / "clinic") as ours, plain() as theirs:
                told |= _screening(ours, theirs, photos, options)
        if "camera" in options.only:
            with clinic(Path(folder) / "camera") as ours:
                told["camera"] = _camera(ours, options)
        if "memory" in options.only:
            with clinic(Path(folder) / "memory") as ours:
                told["memory"] = _memory(ours, [ours.request(one) for one in photos], options.requests)
    print(json.dumps(told, indent=2))
    return 0 if options.quick or all(_targets(told).values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clinic", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="little of everything; judges nothing")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--rounds", type=int, default=10, help="of each side, in turns")
    parser.add_argument("--batch", type=int, default=200, help="photos of a round")
    parser.add_argument("--seconds", type=float, default=30.0, help="at each load")
    parser.add_argument("--requests", type=int, default=20_000, help="over which memory is watched")
    parser.add_argument("--referrals", type=int, default=100_000, help="in the worklist")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.batch, options.seconds = 3, 40, 5.0
        options.requests, options.referrals = 200, 2_000
    return options


def _targets(told: dict[str, Any]) -> dict[str, bool]:
    met = {}
    if "throughput" in told:
        met["throughput at least 0.8 of the bare engine's"] = told["throughput"]["ratio"] >= 0.8
    if "memory" in told:
        met["memory at most 1.05 of that after a tenth"] = told["memory"]["ratio"] <= 1.05
    if "worklist" in told:
        met["worklist within 100 ms"] = told["worklist"]["p95_ms"] <= 100
    return met


def _screening(
    ours: Server, theirs: Server, photos: list[bytes], options: argparse.Namespace
) -> dict[str, Any]:
    screener, cores = Screener(), available_cores()
    asked = {
        "clinic": [ours.request(one) for one in photos],
        "plain": [theirs.request(one) for one in photos],
    }
    sides = {"clinic": Rounds(), "bare": Rounds(), "plain": Rounds()}
    _batch(ours, asked["clinic"], options.batch)
    _batch(theirs, asked["plain"], options.batch)
    _bare(screener, photos, options.batch, cores)
    for turn in range(options.rounds):
        names = list(sides)
        random.Random(turn).shuffle(names)
        for name in names:
            if name == "bare":
                rate, cpu = _bare(screener, photos, options.batch, cores)
            else:
                rate, cpu = _batch(ours if name == "clinic" else theirs, asked[name], options.batch)
            sides[name].rates.append(rate)
            sides[name].cpu.append(cpu)
        print(f"round {turn + 1} of {options.rounds}", file=sys.stderr, flush=True)
    capacity = median(sides["clinic"].rates)
    loads = [_load(ours, asked["clinic"], share, capacity, options.seconds) for share in SHARES]
    return {
        "throughput": {
            "photos_a_second": {name: round(median(one.rates), 1) for name, one in sides.items()},
            "cpu_ms_a_photo": {name: round(1000 * median(one.cpu), 2) for name, one in sides.items()},
            **_ratio("", sides["clinic"].rates, sides["bare"].rates),
            **_ratio("cpu_", sides["bare"].cpu, sides["clinic"].cpu),
            **_ratio("plain_", sides["clinic"].rates, sides["plain"].rates),
            "rounds": options.rounds,
            "batch": options.batch,
        },
        "loads": [asdict(one) for one in loads],
    }


def _camera(ours: Server, options: argparse.Namespace) -> dict[str, Any]:
    """Throughput with photos as a phone's camera makes them, which take longer to decode than to judge."""
    photos, screener, cores = (
        [_photo(seed, sides=(4000, 3000)) for seed in range(2)],
        Screener(),
        available_cores(),
    )
    asked, count = [ours.request(one) for one in photos], max(10, options.batch // 5)
    sides = {"clinic": Rounds(), "bare": Rounds()}
    for turn in range(options.rounds + 1):
        for name in random.Random(turn).sample(list(sides), 2):
            found = _batch(ours, asked, count) if name == "clinic" else _bare(screener, photos, count, cores)
            if turn:  # the first round warms up
                sides[name].rates.append(found[0])
                sides[name].cpu.append(found[1])
    return {
        "megabytes": [round(len(one) / 1e6, 2) for one in photos],
        "cpu_ms_a_photo": {name: round(1000 * median(one.cpu), 2) for name, one in sides.items()},
        **_ratio("", sides["clinic"].rates, sides["bare"].rates),
        **_ratio("cpu_", sides["bare"].cpu, sides["clinic"].cpu),
        "rounds": options.rounds,
        "batch": count,
    }


def _ratio(name: str, first: list[float], second: list[float]) -> dict[str, Any]:
    pairs = [a / b for a, b in zip(first, second, strict=True)]
    tenths = quantiles(pairs, n=10, method="inclusive") if len(pairs) > 1 else pairs
    return {
        f"{name}ratio": round(median(pairs), 3),
        f"{name}spread": [round(tenths[0], 3), round(tenths[-1], 3)],
    }


def _batch(server: Server, requests: list[bytes], count: int) -> tuple[float, float]:
    """Photos a second, and the server's processor seconds a photo, with clients that wait for each answer."""
    clients = 2 * available_cores()
    used, start = server.cpu_seconds, time.perf_counter()

    def client(number: int) -> None:
        line = Line(server)
        for turn in range(number, count, clients):
            status = line.ask(requests[turn % len(requests)])
            assert status == 200, status
        line.close()

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(client, range(clients)))
    return count / (time.perf_counter() - start), (server.cpu_seconds - used) / count


def _bare(screener: Screener, photos: list[bytes], count: int, cores: int) -> tuple[float, float]:
    """The same of the engine alone, in as many threads as there are cores."""
    used, start = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(lambda turn: screener.screen(photos[turn % len(photos)]), range(count)))
    return count / (time.perf_counter() - start), (time.process_time() - used) / count


def _load(server: Server, requests: list[bytes], share: float, capacity: float, seconds: float) -> Load:
    """Requests at random moments, however long the answers take, as patients come."""
    luck, offered = random.Random(3), share * capacity
    times: list[float] = []
    refused: list[int] = []
    lock = threading.Lock()
    local = threading.local()

    def one(due: float, request: bytes) -> None:
        if not hasattr(local, "line"):
            local.line = Line(server)
        status = local.line.ask(request)
        with lock:
            if status == 200:
                times.append(1000 * (time.perf_counter() - due))
            else:
                assert status == 503, status
                refused.append(status)

    with ThreadPoolExecutor(64) as pool:
        due, end, turn = time.perf_counter(), time.perf_counter() + seconds, 0
        while due < end:
            time.sleep(max(0.0, due - time.perf_counter()))
            pool.submit(one, due, requests[turn % len(requests)])
            due += luck.expovariate(offered)
            turn += 1
    percentiles = quantiles(times, n=100, method="inclusive")
    p50, p95, p99 = (round(percentiles[n - 1], 1) for n in (50, 95, 99))
    return Load(share, round(offered, 1), len(times), len(refused), p50, p95, p99)


def _memory(server: Server, requests: list[bytes], count: int) -> dict[str, Any]:
    """Resident memory near the end over that after a tenth."""
    step = max(1, count // 10)
    seen = []
    for _ in range(10):
        _batch(server, requests, step)
        seen.append(server.memory)
    return {
        "requests": 10 * step,
        "megabytes": [round(one / 1e6, 1) for one in seen],
        "ratio": round(seen[-1] / seen[0], 3),
    }


def _photo(seed: int, sides: tuple[int, int] | None = None) -> bytes:
    """A drawn photo of 640 px, or of a camera's size, with the grain of one."""
    image = Image.fromarray(draw(random_spec(seed, size=640)).image)
    if sides is not None:
        pixels = np.asarray(image.resize(sides), np.int16)
        grain = np.random.default_rng(seed).normal(0, 3, pixels.shape).astype(np.int16)
        image = Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8))
    with io.BytesIO() as stream:
        image.save(stream, "JPEG", quality=88)
        return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
