"""`poxlens phantom`: draw rash close-ups with known lesion masks, to try the program on and to test it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer


def phantom(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to; made if it is not there.")],
    n: Annotated[int, typer.Option("--n", help="How many.")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the first; the next has the next seed.")] = 0,
    size: Annotated[int, typer.Option("--size", help="Side of the square pictures in pixels.")] = 512,
    lesion: Annotated[
        str | None,
        typer.Option("--lesion", help="One kind of lesion, or none for healthy skin. Default: a mixture."),
    ] = None,
    ita: Annotated[
        float | None,
        typer.Option("--ita", help="Skin tone in degrees ITA, -50 (dark) to 70 (very light). Default: all."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")] = False,
) -> None:
    """Draw phantoms: images/, masks/, clean/ (the same skin without lesions) and manifest.csv."""
    from poxlens.data.phantom import LESIONS, random_spec, write_phantoms

    if lesion is not None and lesion not in (*LESIONS, "none"):
        _refuse(f"--lesion must be one of {', '.join(LESIONS)} or none, not {lesion!r}.")
    if n < 1:
        _refuse(f"--n must be 1 or more, not {n}.")
    try:
        random_spec(seed, size=size, lesion=lesion, ita=ita)
        random_spec(seed + n - 1)
    except ValueError as fault:
        _refuse(f"--{fault}.")
    _check_folder(out, force)
    try:
        with _progress(n) as on_done:
            table = write_phantoms(n, out, seed=seed, size=size, lesion=lesion, ita=ita, on_done=on_done)
    except OSError as fault:
        _refuse(
            f"Cannot write to {out}: {fault.strerror or fault}. Choose another folder with --out.", code=1
        )
    if as_json:
        print(json.dumps({"manifest": str(table), "n": n, "seed": seed, "size": size}))
    else:
        print(f"{n} phantom{'s' if n > 1 else ''} in {out}, listed in {table}")


def _check_folder(out: Path, force: bool) -> None:
    try:
        if out.exists() and not out.is_dir():
            _refuse(f"{out} is a file, not a folder. Choose another with --out.")
        if out.is_dir() and not force and any(out.iterdir()):
            _refuse(f"{out} is not empty. Choose another folder, or add --force to write into this one.")
        out.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        _refuse(f"Cannot write to {out}: {fault.strerror or fault}. Choose another folder with --out.")
    if not os.access(out, os.W_OK | os.X_OK):
        _refuse(f"Cannot write to {out}: permission denied. Choose another folder with --out.")


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Drawing", total=total)
        yield lambda done: bar.update(task, completed=done)


def _refuse(message: str, code: int = 2) -> NoReturn:
    print(f"poxlens: {message}", file=sys.stderr)
    raise typer.Exit(code)
