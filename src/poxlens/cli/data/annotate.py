"""`poxlens data annotate`: the local page where a person labels images by keyboard."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poxlens.cli.data.review import run_server
from poxlens.cli.main import MisuseError
from poxlens.errors import AnnotationError, MissingExtraError

if TYPE_CHECKING:
    from poxlens.serve.annotate.session import Labelling

DEFAULT_PORT = 8751


def annotate(
    table: Annotated[Path, typer.Argument(help="Table of images with the columns file and label.")],
    out: Annotated[Path, typer.Option("--out", help="CSV of the labels; one that is there is gone on with.")],
    root: Annotated[
        Path | None, typer.Option("--root", help="Folder that file is relative to. Default: the table's.")
    ] = None,
    scheme: Annotated[
        Path | None,
        typer.Option("--scheme", metavar="TOML", help="What is asked. Default: body site, range, stage."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE,...", help="Only these images; may be given again."),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option("--listed", help="Only images of this CSV, as disagreements.csv of poxlens data agree."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Of a random order. Default: the table's order.")
    ] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on. Any other than 127.0.0.1 opens it to others.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", help="Port; the next free one if taken, 0 for any free.")
    ] = DEFAULT_PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the browser.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="At the end, print how many are labelled as JSON.")
    ] = False,
) -> None:
    """Open the local page to label images with one key each; every answer is saved at once."""
    needed = ("fastapi", "uvicorn", "python_multipart")
    if any(importlib.util.find_spec(name) is None for name in needed):
        raise MisuseError(str(MissingExtraError("serve", "poxlens data annotate")))
    from poxlens.serve.annotate.alone import alone

    if not 0 <= port <= 65535:
        raise MisuseError(f"data annotate: --port must be 0 to 65535, not {port}")
    if out.suffix.lower() != ".csv":
        raise MisuseError(f"data annotate: --out {out}: a table of labels ends in .csv")
    if out.resolve() == table.resolve():
        raise MisuseError("data annotate: --out must not be the table of images itself")
    with alone(out):
        session = _session(table, out, root, scheme, where or [], listed, seed)
        _serve(session, host, port, no_browser=no_browser)
        _tell(session, as_json=as_json)


def _session(
    table: Path,
    out: Path,
    root: Path | None,
    scheme: Path | None,
    where: list[str],
    listed: Path | None,
    seed: int | None,
) -> Labelling:
    from poxlens.data.annotate.choosing import choose, read_listed
    from poxlens.data.annotate.scheme import read_scheme
    from poxlens.data.manifest import read_manifest
    from poxlens.serve.annotate.session import Labelling

    if root is not None and not root.is_dir():
        raise MisuseError(f"data annotate: --root {root}: no such folder")
    for given in filter(None, (table, scheme, listed)):
        if not given.is_file():
            raise MisuseError(f"data annotate: {given}: no such file")
    asked = read_scheme(scheme)
    manifest = read_manifest(table, root=root)
    try:
        items = choose(
            manifest, asked, where=where, listed=read_listed(listed) if listed else None, seed=seed
        )
    except AnnotationError as fault:
        raise MisuseError(f"data annotate: {fault}") from fault
    return Labelling(out, asked, items, manifest.root)


def _serve(session: Labelling, host: str, port: int, *, no_browser: bool) -> None:
    from poxlens.serve.annotate.app import create_annotate
    from poxlens.serve.guard import Hosts
    from poxlens.serve.server import AddressError, address, listen, open_browser

    page = create_annotate(session, hosts=Hosts.serving(host))
    try:
        listener = listen(host, port)
    except AddressError as fault:
        raise MisuseError(str(fault)) from fault
    with listener:
        url = address(listener, host)
        print(f"The page is at {url} (Ctrl+C stops it)", file=sys.stderr, flush=True)
        if host not in ("127.0.0.1", "localhost", "::1"):
            print(
                "Others on this network can reach it, see the photos and label. They travel unencrypted.",
                file=sys.stderr,
            )
        try:
            run_server(page, listener, None if no_browser else lambda: open_browser(url))
        except KeyboardInterrupt:
            print(file=sys.stderr)


def _tell(session: Labelling, *, as_json: bool) -> None:
    from poxlens.cli.output import json_line, write

    counts = session.counts()
    if as_json:
        notice = session.scheme.notice
        write(json_line({**counts, "labels": str(session.out), "notice": notice}) + "\n")
        return
    write(
        f"{counts['labelled']} of {counts['images']} images labelled, {counts['open']} open.\n"
        f"Labels: {session.out}\n{session.scheme.notice}\n"
    )
